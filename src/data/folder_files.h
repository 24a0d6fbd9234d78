#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace sluice {

/// An image file of one half of a folder.
struct ImageFile {
  std::filesystem::path path;
  int label;
};

/// How many files are not read, by kind: ".webp", "in folders below a class".
using LeftOut = std::map<std::string, std::size_t>;

struct FolderFiles {
  std::vector<ImageFile> images;  ///< by class, then by name
  LeftOut left_out;
};

/// The .jpg, .jpeg and .png files of a half's class folders, and what else lies there. A class
/// without a folder has no files. Throws Error (user) for a folder that is none of the classes.
FolderFiles list_files(const std::filesystem::path& half,
                       const std::vector<std::string>& class_names);

/// "36 files left out: 12 .bmp, 24 .webp (...)"; empty for none.
std::string left_out_in_words(const LeftOut& left_out);

/// Throws Error (user) for a class without a training image, saying what its folder has.
void require_images_of_each_class(const std::vector<ImageFile>& images,
                                  const std::filesystem::path& half,
                                  const std::vector<std::string>& class_names);

/// The first `wanted` images of a fixed shuffle (0: all of them), the same in every run whatever
/// its seed. A class that has none among these gets its first one, in place of the last one of a
/// class that has several: whatever is taken, no class vanishes, and nothing changes where none
/// would have.
std::vector<ImageFile> choose(std::vector<ImageFile> images, std::size_t wanted,
                              std::size_t classes);

}  // namespace sluice

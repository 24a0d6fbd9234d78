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

/// Number of files that are not read, by kind: ".webp", "in folders below a class".
using LeftOut = std::map<std::string, std::size_t>;

struct FolderFiles {
  std::vector<ImageFile> images;  ///< sorted by class, then by name
  LeftOut left_out;
};

/// Lists the .jpg, .jpeg and .png files of a half's class folders, and counts other files. A class
/// without a folder has no files. Throws Error (user) for a folder that is not one of the classes.
FolderFiles list_files(const std::filesystem::path& half,
                       const std::vector<std::string>& class_names);

/// Formats the counts: "36 files left out: 12 .bmp, 24 .webp (...)"; empty for none.
std::string left_out_in_words(const LeftOut& left_out);

/// Throws Error (user) for a class without a training image, with what its folder has.
void require_images_of_each_class(const std::vector<ImageFile>& images,
                                  const std::filesystem::path& half,
                                  const std::vector<std::string>& class_names);

/// Returns the first `wanted` images of a fixed shuffle (0: all), the same for every seed. A class
/// that has none of them gets its first image, in place of the last image of a class with several:
/// so every class stays, and nothing changes if none was missing.
std::vector<ImageFile> choose(std::vector<ImageFile> images, std::size_t wanted,
                              std::size_t classes);

}  // namespace sluice

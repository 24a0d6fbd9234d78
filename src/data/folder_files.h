#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace sluice {

/// An image file of one half of a data set.
struct ImageFile {
  std::filesystem::path path;
  int label;
};

/// Number of files that are not read, by kind: ".txt", "outside a class folder".
using LeftOut = std::map<std::string, std::size_t>;

struct FolderFiles {
  std::vector<ImageFile> images;  ///< sorted by class, then by name
  LeftOut left_out;
};

/// Whether a file is to be read as a picture: its name ends as that of a picture, or its first
/// bytes are those of one. A broken picture counts, so that it is reported.
bool is_picture(const std::filesystem::path& file);

/// Lists the pictures in and below a half's class folders, and counts other files. Litter is
/// skipped; a folder that several links lead to is listed once. A class without a folder has no
/// files; folders that are not one of the classes are left out: see unknown_classes().
FolderFiles list_files(const std::filesystem::path& half,
                       const std::vector<std::string>& class_names);

/// Whether there is a picture in or below a folder; looks at 10,000 files at most.
bool has_picture(const std::filesystem::path& folder);

/// Returns the number of files in and below a folder, without litter.
std::size_t count_files(const std::filesystem::path& folder);

/// Formats the counts: "36 files left out: 12 .pdf, 24 .txt"; empty for none.
std::string left_out_in_words(const LeftOut& left_out);

/// Throws Error (user) for classes without a training image, with what the first one's folder has.
void require_images_of_each_class(const std::vector<ImageFile>& images,
                                  const std::filesystem::path& half,
                                  const std::vector<std::string>& class_names);

/// Returns `wanted` images in a fixed shuffle, the same for every seed: the first ones of it, or a
/// stratified sample.
std::vector<ImageFile> choose(std::vector<ImageFile> images, std::size_t wanted,
                              bool is_stratified);

}  // namespace sluice

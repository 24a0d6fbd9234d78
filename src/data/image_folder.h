#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/subset.h"
#include "sluice/dataset.h"

namespace sluice {

/// Whether DIR has train/ or test/, which identifies an image folder.
bool is_image_folder(const std::filesystem::path& folder);

/// Lists the names of the folders in DIR/train, sorted. Throws Error (user) for fewer than two.
std::vector<std::string> list_image_classes(const std::filesystem::path& folder);

/// Reads every .jpg, .jpeg and .png file of DIR/train/<class>/ and DIR/test/<class>/, resized to
/// 32x32. Labels follow `class_names`: a half must not have other folders, and each class needs a
/// training image. Litter (Thumbs.db, __MACOSX, hidden files) is skipped; other files are counted
/// in Dataset::left_out and reported. With Halves::test, `train` stays empty and its folder may be
/// missing.
/// folder may be missing.
///
/// The order is a fixed shuffle of the sorted list, the same for every seed: "the first 5,000" are
/// a fair sample of all classes and always the same images; see choose().
///
/// Throws Error: user for another folder structure and for broken images, all at once, counted by
/// fault; machine for the disk. With `skip_broken`, broken images are reported and left out.
/// Decodes on all threads.
Dataset read_image_folder(const std::filesystem::path& folder,
                          const std::vector<std::string>& class_names, const DataOptions& options,
                          const DataEvents& events, Halves halves = Halves::both);

}  // namespace sluice

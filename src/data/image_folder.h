#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/subset.h"
#include "sluice/dataset.h"

namespace sluice {

/// Whether DIR has train/ or test/: what an image folder is known by.
bool is_image_folder(const std::filesystem::path& folder);

/// The names of the folders in DIR/train, sorted. Throws Error (user) if there are not two.
std::vector<std::string> list_image_classes(const std::filesystem::path& folder);

/// Reads DIR/train/<class>/ and DIR/test/<class>/, every .jpg, .jpeg and .png file there, resized
/// to 32x32. Labels follow `class_names`: no half may have other folders, and each class needs a
/// training image. Litter (Thumbs.db, __MACOSX, hidden files) is passed over; other files are
/// counted in Dataset::left_out and said. Of the test half alone `train` stays empty, and its
/// folder may be missing.
///
/// The order is a fixed shuffle of the sorted list, the same in every run whatever its seed, so
/// that "the first 5,000" are a fair sample of all classes and the same ones each time; see
/// choose().
///
/// Throws Error: user for a folder that is not like that and for broken images, all of them at
/// once, counted by what is wrong; machine for the disk. With `skip_broken` they are said and left
/// out. Files are decoded on all threads.
Dataset read_image_folder(const std::filesystem::path& folder,
                          const std::vector<std::string>& class_names, const DataOptions& options,
                          const DataEvents& events, Halves halves = Halves::both);

}  // namespace sluice

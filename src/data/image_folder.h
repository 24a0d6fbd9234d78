#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/class_folders.h"
#include "data/subset.h"
#include "sluice/dataset.h"

namespace sluice {

/// Lists the names of the class folders of the training half, or of the only folder of classes,
/// sorted. Throws Error (user) for fewer than two.
std::vector<std::string> list_image_classes(const FolderLayout& layout);

/// Reads every picture in and below the class folders. Labels follow `class_names`: a half must not
/// have other folders, and each class needs a training image. Litter (Thumbs.db, __MACOSX, hidden
/// files) is skipped; other files are counted in Dataset::left_out and reported. Without a test
/// half, DataOptions::test_split of the pictures are one. Throws Error as read_listing() does, and
/// (user) for a missing training half, except with Halves::test.
Dataset read_image_folder(const FolderLayout& layout, const std::vector<std::string>& class_names,
                          const DataOptions& options, const DataEvents& events,
                          Halves halves = Halves::both);

}  // namespace sluice

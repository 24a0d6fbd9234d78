#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/folder_files.h"
#include "data/subset.h"
#include "sluice/dataset.h"

namespace sluice {

/// Files of a data set, before one is decoded.
struct Listing {
  std::string name;               ///< Dataset::name
  std::filesystem::path folder;   ///< Dataset::source
  std::filesystem::path place;    ///< Dataset::place; empty for `folder`
  std::filesystem::path classes;  ///< names for splits are relative to it
  std::vector<std::string> class_names;
  std::vector<ImageFile> train;
  std::vector<ImageFile> validation;
  std::vector<ImageFile> test;
  bool has_validation = false;  ///< of its own
  bool has_test = false;
  LeftOut left_out;
};

/// Decodes the files of a listing, after splits and samples by the options. The order is a fixed
/// shuffle, the same for every seed. With Halves::test, only test images are decoded. Throws Error:
/// user for a class without a training image and for broken images, all at once, counted by fault;
/// machine for the disk. With `skip_broken`, broken images are reported and left out. Decodes on
/// all threads.
Dataset read_listing(Listing listing, const DataOptions& options, const DataEvents& events,
                     Halves halves);

/// Throws Error (user) if a data set has validation images, and the options also split some off.
void require_one_validation(const std::string& place, bool has_validation,
                            const DataOptions& options);

/// Formats the split of data without a test half.
std::string test_split_in_words(std::size_t test, std::size_t all);

}  // namespace sluice

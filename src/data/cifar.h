#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/subset.h"
#include "sluice/dataset.h"

namespace sluice {

/// A folder with CIFAR-10's binary version (https://www.cs.toronto.edu/~kriz/cifar.html).
struct CifarFolder {
  std::filesystem::path folder;
  std::vector<std::filesystem::path> train;  ///< data_batch_*.bin, by number
  std::filesystem::path test;                ///< test_batch.bin; may be missing
};

/// Looks for CIFAR-10's files in `folder`, then in its cifar-10-batches-bin (the official archive's
/// folder); returns nothing if neither has any.
std::optional<CifarFolder> find_cifar(const std::filesystem::path& folder);

/// Reads the first `wanted` records (0: all) of the files in order. A record has 3,073 bytes: the
/// label, then 32x32 bytes each of red, green and blue; a file has any whole number of records.
/// Throws Error: user for a malformed file, which it names, or for too few records, with the name
/// of `key`; machine if reading fails.
LabelledImages read_cifar_files(const std::vector<std::filesystem::path>& files, int wanted,
                                const std::string& key);

/// Reads a folder. If there is a batches.meta.txt, it must agree with CIFAR-10's class names. With
/// Halves::test, `train` stays empty and its files may be missing.
Dataset read_cifar(const CifarFolder& place, const DataOptions& options,
                   Halves halves = Halves::both);

}  // namespace sluice

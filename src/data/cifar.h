#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/subset.h"
#include "sluice/dataset.h"

namespace sluice {

/// A folder in CIFAR-10's binary version (https://www.cs.toronto.edu/~kriz/cifar.html).
struct CifarFolder {
  std::filesystem::path folder;
  std::vector<std::filesystem::path> train;  ///< data_batch_*.bin, by number
  std::filesystem::path test;                ///< test_batch.bin; may be missing
};

/// `folder` itself or its cifar-10-batches-bin (what the official archive unpacks to), whichever
/// has such files first; nothing if neither has.
std::optional<CifarFolder> find_cifar(const std::filesystem::path& folder);

/// The first `wanted` records (0: all) of the files, one after the other. A record has 3,073 bytes:
/// the label, then 32x32 bytes each of red, green and blue; a file may have any whole number of
/// them. Throws Error: user for a file that is not like that, naming it, or for too few records,
/// naming `key`; machine for one that cannot be read.
LabelledImages read_cifar_files(const std::vector<std::filesystem::path>& files, int wanted,
                                const std::string& key);

/// A batches.meta.txt must agree with CIFAR-10's class names. Of the test half alone, `train` stays
/// empty and its files may be missing.
Dataset read_cifar(const CifarFolder& place, const DataOptions& options,
                   Halves halves = Halves::both);

}  // namespace sluice

#pragma once

#include <filesystem>

#include "sluice/dataset.h"

namespace sluice {

/// Read a file in MNIST's format idx, or such a file in gzip: bytes of images (N, height, width),
/// or of labels (N). Throw Error (user) with the file's name if it is damaged or has other data.
LabelledImages read_idx_images(const std::filesystem::path& file);
std::vector<int> read_idx_labels(const std::filesystem::path& file);

}  // namespace sluice

#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/error.h"

namespace sluice {

/// Reads pictures side by side and calls take(i, image) for each, on whatever thread has read it.
/// Gives back what was wrong with each that could not be read.
std::vector<std::optional<Error>> read_images(
    std::span<const std::filesystem::path> files,
    const std::function<void(std::size_t, const Image&)>& take);

}  // namespace sluice

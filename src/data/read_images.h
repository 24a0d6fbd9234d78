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

/// Reads pictures in parallel and calls take(i, image) for each, on the thread that read it.
/// Returns the error of each picture that could not be read.
std::vector<std::optional<Error>> read_images(
    std::span<const std::filesystem::path> files,
    const std::function<void(std::size_t, const Image&)>& take);

}  // namespace sluice

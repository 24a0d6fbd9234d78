#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/memory_budget.h"
#include "sluice/dataset.h"
#include "sluice/error.h"

namespace sluice {

/// Returns the bytes that threads share for decoding pictures: a quarter of the memory.
std::uint64_t decoding_memory();

/// Reads a picture as sluice/dataset.h says; waits for memory if `memory` is given.
Image read_image(const std::filesystem::path& path, const ReadOptions& options,
                 MemoryBudget::Share* memory);

/// Reads pictures in parallel and calls take(i, image) for each, on the thread that read it.
/// Returns the error of each picture that could not be read.
std::vector<std::optional<Error>> read_images(
    std::span<const std::filesystem::path> files, const ReadOptions& options,
    const std::function<void(std::size_t, const Image&)>& take);

}  // namespace sluice

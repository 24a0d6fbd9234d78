#pragma once

#include <filesystem>

namespace sluice {

/// Where Sluice keeps what it has downloaded: $XDG_CACHE_HOME/sluice or ~/.cache/sluice; empty if
/// the environment names neither.
std::filesystem::path cache_folder();

/// The folder in a cache that a download fills.
std::filesystem::path cached_cifar(const std::filesystem::path& cache);

}  // namespace sluice

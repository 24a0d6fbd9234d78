#pragma once

#include <filesystem>
#include <string>

#include "sluice/exchange.h"

namespace sluice {

/// Does the work of fetch_cifar10() with any address, sum and cache. The archive is kept as
/// <cache>/cifar-10-binary.tar.gz.part until its contents have their final name; processes that
/// download at the same time wait for each other.
std::filesystem::path fetch_archive(const std::string& url, const std::string& md5,
                                    const std::filesystem::path& cache, const DataEvents& events);

}  // namespace sluice

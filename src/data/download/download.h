#pragma once

#include <filesystem>
#include <string>

#include "sluice/exchange.h"

namespace sluice {

/// What fetch_cifar10 does, with all that is fixed there given. The archive is kept as
/// <cache>/cifar-10-binary.tar.gz.part until its contents stand under their final name; processes
/// that fetch at the same time wait for each other.
std::filesystem::path fetch_archive(const std::string& url, const std::string& md5,
                                    const std::filesystem::path& cache, const DataEvents& events);

}  // namespace sluice

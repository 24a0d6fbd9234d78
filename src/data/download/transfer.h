#pragma once

#include <filesystem>
#include <string>

#include "sluice/dataset.h"

namespace sluice {

/// Downloads `url` to the end of `part` and continues an earlier transfer; starts again if the
/// server does not support that. Throws Error (machine), or the progress callback's exception; the
/// bytes that arrived stay in `part` for the next attempt.
void transfer(const std::string& url, const std::filesystem::path& part, const DataEvents& events);

}  // namespace sluice

#pragma once

#include <filesystem>
#include <string>

#include "sluice/dataset.h"

namespace sluice {

/// Downloads `url` to the end of `part`, going on where an earlier transfer stopped; from the start
/// if the server cannot do that. Throws Error (machine), or what the progress callback throws; what
/// had arrived stays in `part` for the next time.
void transfer(const std::string& url, const std::filesystem::path& part, const DataEvents& events);

}  // namespace sluice

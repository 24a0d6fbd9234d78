#pragma once

#include <string>

namespace sluice {

/// Of the oneDNN that runs, not the one compiled with: "2.6.3".
std::string onednn_version();

}  // namespace sluice

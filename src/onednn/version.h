#pragma once

#include <string>

namespace sluice {

/// Of the oneDNN library that is loaded: "2.7.3".
std::string onednn_version();

}  // namespace sluice

#pragma once

#include <string>

namespace sluice {

/// Of the oneDNN that runs, not the one compiled with: "2.6.3".
std::string onednn_version();

/// Instruction set that its kernels use on this processor and under ONEDNN_MAX_CPU_ISA:
/// "AVX-512 with bf16".
std::string onednn_instructions();

}  // namespace sluice

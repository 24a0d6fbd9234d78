#pragma once

#include <string>

namespace sluice {

/// Version of the oneDNN that runs, not of the headers: "2.6.3".
std::string onednn_version();

/// Instruction set that oneDNN's kernels use on this processor and under ONEDNN_MAX_CPU_ISA:
/// "AVX-512 with bf16".
std::string onednn_instructions();

}  // namespace sluice

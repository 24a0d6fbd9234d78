#pragma once

#include <cstdint>
#include <string>

#pragma GCC visibility push(default)

namespace sluice {

// Versions, and facts about the machine.

/// Version of Sluice: "0.1.0". docs/versioning.md says what it covers.
std::string version();

/// Version of oneDNN at run time, which may differ from compile time: "2.6.3".
std::string onednn_version();

/// Instruction set that oneDNN's kernels use on this processor and under ONEDNN_MAX_CPU_ISA:
/// "AVX-512 with bf16".
std::string onednn_instructions();

/// Facts that speed depends on. A fact that the system does not report is "unknown" or 0.
struct Machine {
  std::string cpu;
  int cores = 0;    ///< logical cores for this process
  int threads = 0;  ///< OpenMP threads
  std::uint64_t memory_bytes = 0;
  std::string os;
  std::string compiler;  ///< compiler that built the library
};

Machine this_machine();

/// Returns the peak memory of this process.
std::uint64_t peak_memory_bytes();

/// Highest rates of this machine on all OpenMP threads, as measured.
struct Ceiling {
  double gflops;              ///< fp32 multiplications and additions, 10^9 per second
  double gigabytes_a_second;  ///< 10^9 bytes per second, read from memory outside all caches
};

/// Measures the ceiling, which takes about half a second.
Ceiling measure_ceiling();

}  // namespace sluice

#pragma GCC visibility pop

#pragma once

#include <cstdint>
#include <string>

namespace [[gnu::visibility("default")]] sluice {

// Which program runs on which machine.

/// Sluice's own: "0.1.0". docs/versioning.md says what it promises.
std::string version();

/// Of the oneDNN that runs, not the one compiled with: "2.6.3".
std::string onednn_version();

/// Instruction set that its kernels use on this processor and under ONEDNN_MAX_CPU_ISA:
/// "AVX-512 with bf16".
std::string onednn_instructions();

/// What figures of speed depend on. A fact that the system does not tell is "unknown" or 0.
struct Machine {
  std::string cpu;
  int cores = 0;    ///< logical ones this process may use
  int threads = 0;  ///< OpenMP's
  std::uint64_t memory_bytes = 0;
  std::string os;
  std::string compiler;  ///< that built the library
};

Machine this_machine();

/// The most memory this process has held at once.
std::uint64_t peak_memory_bytes();

/// What this machine does at best, on all OpenMP threads: measured, not looked up.
struct Ceiling {
  double gflops;              ///< fp32 multiplications and additions, 10^9 a second
  double gigabytes_a_second;  ///< read from memory, from more than any cache holds
};

/// Takes about half a second.
Ceiling measure_ceiling();

}  // namespace sluice

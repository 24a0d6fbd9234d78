#pragma once

namespace sluice {

/// What this machine does at best, on all OpenMP threads: measured, not looked up.
struct Ceiling {
  double gflops;              ///< fp32 multiplications and additions, 10^9 a second
  double gigabytes_a_second;  ///< read from memory, from more than any cache holds
};

/// Takes about half a second.
Ceiling measure_ceiling();

}  // namespace sluice

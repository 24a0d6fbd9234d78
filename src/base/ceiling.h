#pragma once

namespace sluice {

/// Measured peak performance of this machine, on all OpenMP threads.
struct Ceiling {
  double gflops;              ///< fp32 multiplications and additions, 10^9 a second
  double gigabytes_a_second;  ///< main memory bandwidth; reads more data than any cache holds
};

/// Takes about half a second.
Ceiling measure_ceiling();

}  // namespace sluice

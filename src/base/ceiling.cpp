#include "sluice/version.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/parallel.h"
#include "base/simd.h"
#include "base/timer.h"

namespace sluice {

namespace {

using Lanes4 __attribute__((vector_size(16))) = float;
using Lanes8 __attribute__((vector_size(32))) = float;
using Lanes16 __attribute__((vector_size(64))) = float;

constexpr std::int64_t kRounds = 4'000'000;
constexpr int kChains = 12;  // enough to hide the latency of two units

/// Runs independent chains of multiply-add on one thread. Each chain has another start value: a
/// compiler would compute equal chains only once.
template <class Vector>
__attribute__((always_inline)) inline float multiply_and_add() {
  Vector sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = Vector{} + static_cast<float>(i);
  const Vector factor = 0.5f - Vector{};
  for (std::int64_t round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (Vector& sum : sums) sum = sum * factor + factor;
  }
  float total = 0;
  for (const Vector& sum : sums) total += sum[0];
  return total;
}

#ifdef __x86_64__
__attribute__((target("avx512f"))) float run_16_lanes() {
  return multiply_and_add<Lanes16>();
}
__attribute__((target("avx2,fma"))) float run_8_lanes() {
  return multiply_and_add<Lanes8>();
}
#endif
float run_4_lanes() {
  return multiply_and_add<Lanes4>();
}

struct Probe {
  float (*run)();
  int lanes;
};

Probe widest() {
#ifdef __x86_64__
  if (has_avx512()) return {run_16_lanes, 16};
  if (has_avx2()) return {run_8_lanes, 8};
#endif
  return {run_4_lanes, 4};
}

volatile float sink;  ///< keeps the compiler from removing the work

double measure_gflops() {
  const Probe probe = widest();
  const Timer timer;
  float total = 0;
#pragma omp parallel reduction(+ : total)
  total += probe.run();
  sink = total;
  return 2.0 * kRounds * kChains * probe.lanes * thread_count() / timer.seconds() / 1e9;
}

/// Reads several streams at a time: one stream does not use the full bandwidth.
double measure_bandwidth(const std::vector<std::int64_t>& values) {
  constexpr std::size_t kStreams = 4;
  const std::size_t each = values.size() / kStreams;
  const Timer timer;
  std::int64_t total = 0;
#pragma omp parallel for reduction(+ : total)
  for (std::size_t i = 0; i < each; ++i) {
    for (std::size_t stream = 0; stream < kStreams; ++stream) total += values[stream * each + i];
  }
  sink = static_cast<float>(total);
  return double(values.size() * sizeof(values[0])) / timer.seconds() / 1e9;
}

}  // namespace

Ceiling measure_ceiling() {
  constexpr std::size_t kBytes = 256 << 20;
  constexpr int kTimes = 10;  // keeps the best: other processes may be running
  const std::vector<std::int64_t> values(kBytes / sizeof(std::int64_t), 1);
  Ceiling best{0, 0};
  for (int i = 0; i < kTimes; ++i) {
    best.gflops = std::max(best.gflops, measure_gflops());
    best.gigabytes_a_second = std::max(best.gigabytes_a_second, measure_bandwidth(values));
  }
  return best;
}

}  // namespace sluice

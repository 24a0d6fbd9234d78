#include "base/random.h"

#include "base/simd.h"

namespace sluice {

namespace {

constexpr std::size_t kLanes = 8;

/// Computes Philox 4x32-10 (Salmon et al. 2011, figure 1 and table 2) for kLanes counters at once:
/// the compiler vectorises the loops over the lanes.
SLUICE_VECTORISED void philox(std::uint32_t first, const std::uint32_t* counter,
                              const std::uint32_t* key, std::uint32_t* __restrict out) {
  std::uint32_t c0[kLanes], c1[kLanes], c2[kLanes], c3[kLanes];
  for (std::size_t i = 0; i < kLanes; ++i) {
    c0[i] = first + static_cast<std::uint32_t>(i);
    c1[i] = counter[1];
    c2[i] = counter[2];
    c3[i] = counter[3];
  }
  std::uint32_t k0 = key[0];
  std::uint32_t k1 = key[1];
  for (int round = 0; round < 10; ++round) {
#pragma omp simd
    for (std::size_t i = 0; i < kLanes; ++i) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c0[i];
      const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * c2[i];
      c0[i] = static_cast<std::uint32_t>(p1 >> 32) ^ c1[i] ^ k0;
      c1[i] = static_cast<std::uint32_t>(p1);
      c2[i] = static_cast<std::uint32_t>(p0 >> 32) ^ c3[i] ^ k1;
      c3[i] = static_cast<std::uint32_t>(p0);
    }
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  for (std::size_t i = 0; i < kLanes; ++i) {
    out[4 * i] = c0[i];
    out[4 * i + 1] = c1[i];
    out[4 * i + 2] = c2[i];
    out[4 * i + 3] = c3[i];
  }
}

}  // namespace

void RandomStream::fill(std::uint32_t first, std::size_t count, std::uint32_t* out) const {
  const std::uint32_t counter[4] = {0, step_, stream_, purpose_};
  const std::uint32_t key[2] = {key_.v[0], key_.v[1]};
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    philox(first + static_cast<std::uint32_t>(i), counter, key, out + 4 * i);
  }
  for (; i < count; ++i) {
    const auto bits_of = bits(first + static_cast<std::uint32_t>(i));
    for (std::size_t word = 0; word < bits_of.size(); ++word) out[4 * i + word] = bits_of[word];
  }
}

}  // namespace sluice

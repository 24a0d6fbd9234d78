#pragma once

#include <Random123/philox.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>

namespace sluice {

/// Purpose of random numbers, a part of the stream's key. Values are below 256.
enum class Purpose : std::uint32_t {
  weights = 1,
  shuffle = 2,
  dropout = 3,
  drawing = 4,
  order = 5,
  augmentation = 6,
  mixup = 7,
  control = 8,
  gate_noise = 9
};

/// Counter-based random numbers: the same seed, purpose, stream, step and index give the same bits
/// in any order, on any machine. Philox 4x32-10 (Salmon et al. 2011) from Random123.
class RandomStream {
 public:
  /// Streams below 2^56 differ. Their upper 24 bits share a counter word with the purpose.
  RandomStream(std::uint64_t seed, Purpose purpose, std::uint64_t stream, std::uint32_t step)
      : key_{{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}},
        purpose_(static_cast<std::uint32_t>(purpose) | static_cast<std::uint32_t>(stream >> 32)
                                                           << 8),
        stream_(static_cast<std::uint32_t>(stream)),
        step_(step) {}

  /// Returns 128 random bits.
  std::array<std::uint32_t, 4> bits(std::uint32_t index) const {
    const r123::Philox4x32::ctr_type counter{{index, step_, stream_, purpose_}};
    const auto out = r123::Philox4x32()(counter, key_);
    return {out[0], out[1], out[2], out[3]};
  }

  /// Writes bits(first), bits(first + 1), ... to `out`, 128 bits each.
  void fill(std::uint32_t first, std::size_t count, std::uint32_t* out) const;

  /// Converts the upper 24 bits to a number in [0, 1).
  static float unit(std::uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-24f; }

  /// A number of the normal distribution (Box and Muller 1958), at most 5.8 from 0.
  static double normal(std::uint32_t bits, std::uint32_t other_bits) {
    const double radius = std::sqrt(-2 * std::log(1.0 - unit(bits)));
    return radius * std::cos(2 * std::numbers::pi * unit(other_bits));
  }

  /// Maps to [0, n), n > 0, by Lemire's multiplication. The bias is at most n / 2^32, which is
  /// small enough here.
  static std::uint32_t below(std::uint32_t bits, std::uint32_t n) {
    return static_cast<std::uint32_t>((std::uint64_t{bits} * n) >> 32);
  }

 private:
  r123::Philox4x32::key_type key_;
  std::uint32_t purpose_;
  std::uint32_t stream_;
  std::uint32_t step_;
};

}  // namespace sluice

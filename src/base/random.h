#pragma once

#include <Random123/philox.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice {

/// What random numbers are for; with the rest of the key it names a stream of its own. Below 256.
enum class Purpose : std::uint32_t {
  weights = 1,
  shuffle = 2,
  dropout = 3,
  drawing = 4,
  order = 5
};

/// Counter-based random numbers: the same seed, purpose, stream, step and index give the same bits
/// in any order, on any machine. Philox 4x32-10 (Salmon et al. 2011) from Random123.
class RandomStream {
 public:
  /// Streams below 2^56 differ. Their upper 24 bits share a word of the counter with the purpose.
  RandomStream(std::uint64_t seed, Purpose purpose, std::uint64_t stream, std::uint32_t step)
      : key_{{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}},
        purpose_(static_cast<std::uint32_t>(purpose) | static_cast<std::uint32_t>(stream >> 32)
                                                           << 8),
        stream_(static_cast<std::uint32_t>(stream)),
        step_(step) {}

  /// 128 random bits.
  std::array<std::uint32_t, 4> bits(std::uint32_t index) const {
    const r123::Philox4x32::ctr_type counter{{index, step_, stream_, purpose_}};
    const auto out = r123::Philox4x32()(counter, key_);
    return {out[0], out[1], out[2], out[3]};
  }

  /// bits(first), bits(first + 1), ... into `out`, 128 bits each, several at a time.
  void fill(std::uint32_t first, std::size_t count, std::uint32_t* out) const;

  /// In [0, 1), from the upper 24 bits.
  static float unit(std::uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-24f; }

  /// In [0, n), n > 0, by Lemire's multiplication; the bias of at most n / 2^32 does not matter
  /// here.
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

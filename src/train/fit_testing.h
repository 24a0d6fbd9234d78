#pragma once

#include "runtime/network_testing.h"
#include "sluice/dataset.h"

namespace sluice {

inline const std::vector<std::string> kNames{"a", "b", "c", "d"};
inline constexpr int kClasses = 4;

/// Small random pictures with random labels, which can only be memorised.
inline LabelledImages random_set(int count, std::uint32_t stream, const Shape& shape = {8, 8, 3}) {
  LabelledImages images{shape, {}, {}};
  for (const float p : random_images(std::size_t(count) * element_count(shape), stream)) {
    images.pixels.push_back(static_cast<std::uint8_t>(p * 255));
  }
  for (int i = 0; i < count; ++i) images.labels.push_back((i * 7 + i / 3) % kClasses);
  return images;
}

}  // namespace sluice

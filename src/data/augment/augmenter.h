#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "data/augment/image_changes.h"
#include "sluice/dataset.h"

namespace sluice {

/// Changes the training images of a stage at random. One object serves one thread.
class Augmenter {
 public:
  /// Refers to the examples. Throws Error (user) that names the key for options out of range.
  Augmenter(const Augmentation& options, const Examples& examples, std::uint64_t seed,
            std::uint32_t stage);

  /// Writes an example as it looks in an epoch, from 1: (height, width, channels), in [0, 1].
  void write(std::uint32_t example, int epoch, std::span<float> out);

 private:
  /// Choices that have random numbers of their own, so that one does not change another. The
  /// last needs several.
  enum class Choice : std::uint32_t { shift, mirror, brightness_contrast, cutout, crop };

  std::array<std::uint32_t, 4> bits(Choice choice, std::uint32_t example, int epoch,
                                    std::uint32_t attempt = 0) const;
  void choose_crop(std::uint32_t example, int epoch, Placement& rows, Placement& columns) const;
  bool mirrored(std::uint32_t example, int epoch) const;

  Augmentation options_;
  const Examples& examples_;
  std::uint64_t seed_;
  std::uint32_t stage_;
  std::vector<float> mean_colour_;  ///< of the examples, for cutout
  std::vector<Tap> rows_;
  std::vector<Tap> columns_;
};

}  // namespace sluice

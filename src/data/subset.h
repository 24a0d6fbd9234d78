#pragma once

#include <cstddef>
#include <string>

#include "base/fail.h"
#include "base/machine.h"

namespace sluice {

/// Halves of a data set to read.
enum class Halves { both, test };

/// Returns the number of images in "the first `wanted`", or all for 0. Throws Error (user), with
/// the experiment's `key`, if there are fewer.
inline std::size_t subset_size(int wanted, std::size_t available, const std::string& key,
                               const std::string& where) {
  if (wanted == 0) return available;
  if (wanted < 0 || static_cast<std::size_t>(wanted) > available) {
    throw user_error("data",
                     "{} = {}, but {} has {} images: ask for at most that many, or 0 for all", key,
                     wanted, where, available);
  }
  return static_cast<std::size_t>(wanted);
}

/// Throws Error (user) if `wanted` is too small for one image of each class.
inline void require_one_of_each_class(int wanted, std::size_t classes) {
  if (wanted <= 0 || static_cast<std::size_t>(wanted) >= classes) return;
  throw user_error(
      "data",
      "data.train_images = {}, but there are {} classes: ask for at least that many, or "
      "0 for all",
      wanted, classes);
}

/// Throws Error (machine) if memory is too small for `bytes` of images.
inline void require_memory_for_images(std::uint64_t bytes) {
  require_memory(bytes,
                 "take fewer images (data.train_images, data.test_images) or smaller ones "
                 "(data.image_size)");
}

}  // namespace sluice

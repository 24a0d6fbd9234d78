#pragma once

#include <cstddef>
#include <string>

#include "base/fail.h"
#include "base/machine.h"

namespace sluice {

/// What is read of a data set.
enum class Halves { both, test };

/// How many images "the first `wanted`" are; all of them for 0. Throws Error (user) if there are
/// not so many; `key` is the experiment's.
inline std::size_t subset_size(int wanted, std::size_t available, const std::string& key,
                               const std::string& where) {
  if (wanted == 0) return available;
  if (wanted < 0 || static_cast<std::size_t>(wanted) > available) {
    throw user_error("data", "{} = {}, but {} has {} images: ask for at most so many, or 0 for all",
                     key, wanted, where, available);
  }
  return static_cast<std::size_t>(wanted);
}

/// Throws Error (user) if so few training images are asked for that some class has none.
inline void require_one_of_each_class(int wanted, std::size_t classes) {
  if (wanted <= 0 || static_cast<std::size_t>(wanted) >= classes) return;
  throw user_error("data",
                   "data.train_images = {}, but there are {} classes: ask for at least so many, or "
                   "0 for all",
                   wanted, classes);
}

/// Throws Error (machine) if images of so many bytes are more than there is memory for.
inline void require_memory_for_images(std::uint64_t bytes) {
  require_memory(bytes, "take fewer images (data.train_images, data.test_images)");
}

}  // namespace sluice

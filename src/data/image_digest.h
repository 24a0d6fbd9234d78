#pragma once

#include <string>

#include "sluice/dataset.h"

namespace sluice {

/// SHA-256 of pixels and labels: of all that training and evaluation depend on, except class names.
struct ImageDigests {
  std::string train;
  std::string test;
  std::string validation;
  std::string all;  ///< of the three, one after another
};

/// Reads each image once.
ImageDigests digests_of(const Dataset& data);

}  // namespace sluice

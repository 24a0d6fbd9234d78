#pragma once

#include <string>

#include "base/digest.h"
#include "sluice/dataset.h"

namespace sluice {

/// Adds pixels and labels: all that training and evaluation depend on but the classes' names.
void add_images(const LabelledImages& images, Digest& digest);

/// Their SHA-256.
std::string sha256_of(const LabelledImages& images);

}  // namespace sluice

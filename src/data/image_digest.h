#pragma once

#include <string>

#include "base/digest.h"
#include "sluice/dataset.h"

namespace sluice {

/// Adds pixels and labels: everything that training and evaluation depend on, except class names.
void add_images(const LabelledImages& images, Digest& digest);

/// Returns the SHA-256 of pixels and labels.
std::string sha256_of(const LabelledImages& images);

}  // namespace sluice

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sluice/layers.h"

namespace sluice {

/// The name of an initializer that a layer's kernel may have: "he_normal"
const char* word_of(Initializer initializer);

std::optional<Initializer> initializer_of(std::string_view word);

/// "glorot_uniform, he_normal, ..."
std::string initializer_words();

}  // namespace sluice

#include "graph/initializer.h"

#include <utility>

namespace sluice {

namespace {

constexpr std::pair<Initializer, const char*> kInitializers[] = {
    {Initializer::glorot_uniform, "glorot_uniform"},
    {Initializer::he_normal, "he_normal"},
    {Initializer::fan_in, "fan_in"},
    {Initializer::zeros, "zeros"},
    {Initializer::identity, "identity"},
    {Initializer::whitening, "whitening"},
    {Initializer::centroids, "centroids"}};

}  // namespace

const char* word_of(Initializer initializer) {
  for (const auto& [each, name] : kInitializers) {
    if (each == initializer) return name;
  }
  return "glorot_uniform";
}

std::optional<Initializer> initializer_of(std::string_view word) {
  for (const auto& [each, name] : kInitializers) {
    if (word == name) return each;
  }
  return std::nullopt;
}

std::string initializer_words() {
  std::string words;
  for (const auto& [each, name] : kInitializers)
    words += (words.empty() ? "" : ", ") + std::string(name);
  return words;
}

}  // namespace sluice

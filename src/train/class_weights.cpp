#include "train/class_weights.h"

#include <algorithm>

namespace sluice {

std::vector<float> class_weights(const ClassWeights& wanted, const Examples& examples) {
  if (!wanted.balanced && wanted.of.empty()) return {};
  std::vector<float> weights(examples.class_names().size(), 1.f);
  const std::vector<std::size_t> counts = examples.distribution();
  const auto classes = std::ranges::count_if(counts, [](std::size_t count) { return count > 0; });
  for (std::size_t label = 0; label < weights.size(); ++label) {
    const auto found = wanted.of.find(examples.class_names()[label]);
    if (wanted.balanced && counts[label] > 0) {
      weights[label] = static_cast<float>(static_cast<double>(examples.size()) /
                                          static_cast<double>(classes * counts[label]));
    } else if (found != wanted.of.end()) {
      weights[label] = static_cast<float>(found->second);
    }
  }
  return weights;
}

}  // namespace sluice

#pragma once

#include <string>
#include <vector>

#include "sluice/lab/models.h"
#include "sluice/model_file.h"

namespace sluice {

// Small models for the tests of files.

inline Sequential tiny(const std::string& name = "tiny", int outputs = 3) {
  return {name,
          {4, 4, 3},
          {Conv2D{"conv1.1", 2}, MaxPooling2D{"pool1"}, Dropout{"drop1", 0.25f}, Flatten{"flatten"},
           Dense{"output", outputs, Activation::softmax}}};
}

inline SavedModel saved_network() {
  SavedModel saved{tiny(), Weights(tiny()), {"a", "b \"quoted\"", "größe"}};
  saved.weights.initialize(1, 2);
  return saved;
}

/// Returns a mixture with the groups left (a) and right (b, c).
inline SavedMixture saved_mixture() {
  const std::vector<std::string> class_names{"a", "b", "c"};
  const Groups groups({{"left", {"a"}}, {"right", {"b", "c"}}}, class_names);
  Mixture model{tiny("baseline"), tiny("gate", 2), {}};
  for (const std::string& group : groups.names()) {
    model.branches.push_back(
        {group, tiny("expert-" + group), importance_model("importance-" + group, {4, 4, 3}, 3)});
  }
  SavedMixture saved{model, MixtureWeights(model), class_names, groups.declared()};
  std::uint32_t stream = 0;
  for (Weights* part : saved.weights.parts()) part->initialize(1, ++stream);
  return saved;
}

}  // namespace sluice

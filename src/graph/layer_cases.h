#pragma once

#include <vector>

#include "graph/layer_types.h"

namespace sluice {

/// Small models for the tests that every layer type must pass, at least one of each type:
/// LayerCases.HaveEveryType fails where one is forgotten.
inline std::vector<Sequential> layer_cases() {
  const Shape image{6, 5, 3};
  return {{"model", image, {Conv2D{"conv", 4, 3, Activation::relu}, Flatten{"flatten"}}},
          {"model", image, {Conv2D{"conv", 8, 2, Activation::linear}, Flatten{"flatten"}}},
          {"model", image, {MaxPooling2D{"pool", 2}, Flatten{"flatten"}, Dense{"dense", 3}}},
          {"model", image, {Dropout{"drop", 0.25f}, Flatten{"flatten"}, Dense{"dense", 3}}},
          {"model", {7}, {Dense{"dense", 5, Activation::relu}}},
          {"model", {7}, {Dense{"dense", 5, Activation::softmax}}},
          {"model", {7}, {Dense{"dense", 12}, Reshape{"reshape", {2, 3, 2}}}}};
}

}  // namespace sluice

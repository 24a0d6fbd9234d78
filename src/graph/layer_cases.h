#pragma once

#include <vector>

#include "graph/layer_types.h"

namespace sluice {

/// A model of one layer, for the tests that every layer type must pass.
inline Sequential layer_case(const Shape& input, const Layer& layer) {
  return {"model", input, {layer}};
}

/// At least one case of each type: LayerCases.HaveEveryType fails where one is forgotten.
inline std::vector<Sequential> layer_cases() {
  const Shape image{6, 5, 3};
  return {layer_case(image, Conv2D{"conv", 4, 3, Activation::relu}),
          layer_case(image, Conv2D{"conv", 8, 2, Activation::linear}),
          layer_case(image, MaxPooling2D{"pool", 2}),
          layer_case(image, Dropout{"drop", 0.25f}),
          layer_case(image, Flatten{"flatten"}),
          layer_case({7}, Dense{"dense", 5, Activation::relu}),
          layer_case({7}, Dense{"dense", 5, Activation::softmax}),
          layer_case({12}, Reshape{"reshape", {2, 3, 2}})};
}

}  // namespace sluice

#include "graph/part.h"

#include <algorithm>
#include <ranges>

#include "graph/layer_types.h"
#include "graph/weights.h"
#include "graph/wiring.h"

namespace sluice {

Sequential part_up_to(const Sequential& model, int layer) {
  const std::vector<std::vector<int>> sources = sources_of_layers(model);
  std::vector<char> wanted(sources.size(), 0);
  wanted[static_cast<std::size_t>(layer)] = 1;
  Sequential part{model.name, model.input, {}};
  const auto name = [&](int number) {
    return number == kImages ? std::string(kImagesName)
                             : name_of(model.layers[static_cast<std::size_t>(number)]);
  };
  for (int i = layer; i >= 0; --i) {
    const auto index = static_cast<std::size_t>(i);
    if (!wanted[index]) continue;
    for (const int source : sources[index]) {
      part.inputs[name(i)].push_back(name(source));
      if (source != kImages) wanted[static_cast<std::size_t>(source)] = 1;
    }
    part.layers.push_back(model.layers[index]);
  }
  std::ranges::reverse(part.layers);
  return part;
}

Weights weights_of_part(const Sequential& part, const Weights& weights) {
  Weights own(part);
  for (const Weights::Tensor& tensor : own.tensors()) {
    const Weights::Tensor& same = tensor_of(weights, tensor.layer, tensor.kind);
    std::ranges::copy(weights.values(same), own.values(tensor).begin());
  }
  return own;
}

}  // namespace sluice

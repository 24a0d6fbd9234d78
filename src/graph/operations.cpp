#include "graph/operations.h"

#include "graph/layer_types.h"
#include "graph/wiring.h"

namespace sluice {

std::vector<PlacedOperation> operations_of(const Sequential& model) {
  const std::vector<LayerInfo> layers = describe_layers(model);
  const std::vector<std::vector<int>> sources = sources_of_layers(model);
  std::vector<PlacedOperation> all;
  std::vector<int> results;  // of each layer, the operation that has its result
  for (std::size_t i = 0; i < layers.size(); ++i) {
    std::vector<int> taken;
    for (const int source : sources[i]) {
      taken.push_back(source == kImages ? kImages : results[static_cast<std::size_t>(source)]);
    }
    const Shape& input = sources[i].front() == kImages
                             ? model.input
                             : layers[static_cast<std::size_t>(sources[i].front())].output;
    for (const Operation& operation : layers[i].operations) {
      const int number = static_cast<int>(all.size());
      all.push_back({operation, i, input, layers[i].output, taken});
      taken = {number};
    }
    results.push_back(taken.front());
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const int source : all[i].sources) {
      if (source != kImages) ++all[static_cast<std::size_t>(source)].consumers;
    }
  }
  return all;
}

}  // namespace sluice

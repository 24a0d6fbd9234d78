#include "train/first_values.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "base/fail.h"
#include "data/batching.h"
#include "graph/layer_types.h"
#include "graph/part.h"
#include "graph/weights.h"
#include "graph/wiring.h"
#include "sluice/evaluation.h"

namespace sluice {

void see_first_values(const Sequential& model, const Weights& weights, int source,
                      const Examples& examples,
                      const std::function<void(std::span<const float>)>& see) {
  constexpr std::size_t kMostImages = 5000;
  if (examples.size() == 0 || examples.shape() != model.input) {
    throw user_error("train", "{} takes images of {}, and there are {} of {}", model.name,
                     to_string(model.input), examples.size(), to_string(examples.shape()));
  }
  std::optional<Weights> own;
  std::unique_ptr<CompiledModel> compiled;
  if (source != kImages) {
    const Sequential before = part_up_to(model, source);
    own = weights_of_part(before, weights);
    compiled = compile_for_inference(before, *own, {.batch = throughput_batch(model.input)});
  }
  Batch batch;
  const std::vector<std::uint32_t> rows = in_order(std::min(examples.size(), kMostImages));
  const auto most = static_cast<std::size_t>(throughput_batch(model.input));
  for (std::size_t first = 0; first < rows.size(); first += most) {
    fill_batch(examples, std::span(rows).subspan(first, std::min(most, rows.size() - first)),
               batch);
    see(compiled ? compiled->predict(batch.images, batch.size())
                 : std::span<const float>(batch.images));
  }
}

void for_each_kernel(const Sequential& model, const Weights& weights, Initializer initializer,
                     const std::function<void(const Weights::Tensor&, int)>& see) {
  require_weights(model, weights);
  const std::vector<std::vector<int>> sources = sources_of_layers(model);
  std::size_t layer = 0;
  for (const Weights::Tensor& tensor : weights.tensors()) {
    if (tensor.initializer != initializer) continue;
    while (name_of(model.layers[layer]) != tensor.layer) ++layer;
    see(tensor, sources[layer][0]);
  }
}

}  // namespace sluice

#include "tools/parity/masks.h"

namespace sluice::parity {

Masks::Masks(const Part& part, int batch) : part_(part.number) {
  ops::Plan plan{context_, workspace_, false};
  const std::vector<LayerSummary> summary = summarize(*part.model);
  for (std::size_t i = 0; i < summary.size(); ++i) {
    const auto* dropout = std::get_if<Dropout>(&part.model->layers[i]);
    if (dropout == nullptr) continue;
    const std::int64_t elements = element_count(summary[i].output);
    const dnnl::memory values = plan.take(onednn::layout({batch, elements}, onednn::Tag::nc));
    const auto number = static_cast<std::uint32_t>(drops_.size());
    drops_.push_back(std::make_unique<ops::Dropout>(plan, values, dropout->rate, number));
    layers_.push_back({dropout->name, dropout->rate, static_cast<std::size_t>(elements)});
  }
}

void Masks::draw(std::uint32_t step) {
  // Numbers stages and parts as Network::forward() does; if that changes, parity fails.
  for (const auto& drop : drops_) {
    const auto rows = static_cast<int>(onednn::dims_of(drop->src())[0]);
    drop->forward(context_, {.phase = ops::Phase::training,
                             .rows = rows,
                             .seed = kSeed,
                             .stream = kStage << 16 | part_ << 8,
                             .step = step});
  }
}

}  // namespace sluice::parity

#include "conduct/frontier/exchanged_choices.h"

#include <algorithm>
#include <optional>

#include "eval/outputs.h"
#include "graph/graph_builder.h"
#include "graph/part.h"
#include "graph/weights.h"

namespace sluice {

namespace {

/// The logits of a gate for all images.
struct Logits {
  std::vector<float> values;  ///< (images, experts)
  std::size_t experts;
};

Logits logits_of(const Sequential& model, const Weights& weights, int gate, const Examples& images,
                 const CompileOptions& options) {
  const Sequential part = part_up_to(model, gate);
  const Weights own = weights_of_part(part, weights);
  const auto compiled = compile_for_inference(part, own, options);
  Logits logits{{}, static_cast<std::size_t>(compiled->outputs())};
  predict_in_batches(*compiled, images, [&](const Batch&, std::span<const float> outputs) {
    logits.values.insert(logits.values.end(), outputs.begin(), outputs.end());
  });
  return logits;
}

/// A convolution that takes some of the channels of its input.
class Selection {
 public:
  Selection(std::string name, std::size_t first, std::size_t count)
      : name_(std::move(name)), first_(first), count_(count) {}

  Conv2D layer() const {
    return {name_, static_cast<int>(count_), 1, Activation::linear, 1, Padding::valid, false};
  }
  void set_kernel(Weights& weights) const {
    const std::span<float> kernel = weights.values(tensor_of(weights, name_, "kernel"));
    std::ranges::fill(kernel, 0.F);
    for (std::size_t c = 0; c < count_; ++c) kernel[(first_ + c) * count_ + c] = 1;
  }

 private:
  std::string name_;
  std::size_t first_;
  std::size_t count_;
};

/// A model whose images have, behind their channels, the logits of its gates, each in a channel of
/// one value.
class GivenLogits {
 public:
  GivenLogits(const Sequential& model, const Weights& weights, const std::vector<Logits>& gates) {
    auto channels = static_cast<std::size_t>(model.input[2]);
    GraphBuilder graph;
    const auto select = [&](const std::string& name, std::size_t first, std::size_t count) {
      selections_.emplace_back("given/" + name, first, count);
      return graph.add(selections_.back().layer(), {kImagesName});
    };
    const std::string images = select(kImagesName, 0, channels);
    const std::vector<std::vector<int>> sources = sources_of_layers(model);
    std::vector<std::string> places;
    std::size_t gate = 0;
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
      std::vector<std::string> inputs = names_of_sources(sources[i], places, images);
      if (std::holds_alternative<MixtureOfExperts>(model.layers[i])) {
        const std::string name = name_of(model.layers[i]);
        const std::size_t experts = gates[gate++].experts;
        const std::string given = select(name, channels, experts);
        inputs[1] = graph.add(GlobalAveragePooling2D{"given/mean/" + name}, {given});
        channels += experts;
      }
      places.push_back(graph.add(model.layers[i], std::move(inputs)));
    }
    model_ = pruned(graph.take(), places.back());
    model_.name = model.name;
    model_.input = {model.input[0], model.input[1], static_cast<std::int64_t>(channels)};
    weights_.emplace(model_);
    weights_->take(weights);
    for (const Selection& selection : selections_) selection.set_kernel(*weights_);
  }

  const Sequential& model() const { return model_; }
  const Weights& weights() const { return *weights_; }

 private:
  std::vector<Selection> selections_;
  Sequential model_;
  std::optional<Weights> weights_;
};

}  // namespace

std::vector<float> outputs_by_exchanged_choices(const Sequential& model, const Weights& weights,
                                                const Examples& images, const RandomStream& random,
                                                const CompileOptions& options) {
  const std::vector<std::vector<int>> sources = sources_of_layers(model);
  std::vector<Logits> gates;
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    if (!std::holds_alternative<MixtureOfExperts>(model.layers[i])) continue;
    gates.push_back(logits_of(model, weights, sources[i][1], images, options));
  }
  const std::vector<std::uint32_t> others = permutation(images.size(), random);
  const GivenLogits given(model, weights, gates);
  const auto compiled = compile_for_inference(given.model(), given.weights(), options);
  const auto channels = static_cast<std::size_t>(model.input[2]);
  std::vector<float> outputs;
  std::vector<float> pixels;
  std::size_t first = 0;
  const auto add_batch = [&](const Batch& batch) {
    pixels.clear();
    const std::size_t of_image = batch.images.size() / batch.labels.size();
    for (std::size_t row = 0; row < batch.labels.size(); ++row) {
      for (std::size_t p = 0; p < of_image; p += channels) {
        const float* pixel = batch.images.data() + row * of_image + p;
        pixels.insert(pixels.end(), pixel, pixel + channels);
        for (const Logits& gate : gates) {
          const float* its = gate.values.data() + others[first + row] * gate.experts;
          pixels.insert(pixels.end(), its, its + gate.experts);
        }
      }
    }
    const auto scores = compiled->predict(pixels, batch.size());
    outputs.insert(outputs.end(), scores.begin(), scores.end());
  };
  const std::vector<std::uint32_t> rows = in_order(images.size());
  Batch batch;
  for (; first < rows.size(); first += batch.labels.size()) {
    const std::size_t count =
        std::min(rows.size() - first, static_cast<std::size_t>(compiled->max_batch()));
    fill_batch(images, std::span(rows).subspan(first, count), batch);
    add_batch(batch);
  }
  return outputs;
}

}  // namespace sluice

#include "formats/keras/recognize.h"

#include <algorithm>

#include "base/fail.h"
#include "graph/layer_types.h"
#include "sluice/lab/models.h"

namespace sluice {

namespace {

constexpr std::int64_t kMaxOutputs = 1'000'000;

/// Outputs of the last layer with weights; 0 where that has no bias.
std::int64_t outputs(const std::vector<const StoredLayer*>& layers, const Safetensors& tensors) {
  if (layers.empty() || layers.back()->weights.size() != 2) return 0;
  const Shape& bias = tensors.find(layers.back()->weights[1])->shape;
  return bias.size() == 1 && bias[0] <= kMaxOutputs ? bias[0] : 0;
}

struct Kind {
  std::size_t convolutions = 0;
  std::size_t dense = 0;
};

Kind kind_of(const std::vector<const StoredLayer*>& layers) {
  Kind kind;
  for (const StoredLayer* layer : layers) {
    kind.convolutions += layer->rank == 4;
    kind.dense += layer->rank == 2;
  }
  return kind;
}

/// Adds the settings that tell the lab's layers apart: " 32 relu".
struct WordsOfSettings {
  std::string& words;

  void count(const char*, int value, std::int64_t) { words += fmt::format(" {}", value); }
  void activation(const char*, Activation value) { words += fmt::format(" {}", word_of(value)); }
  void size(const char*, const Size2D&, std::int64_t, const Size2D& = 1) {}
  void number(const char*, double, double) {}
  void numbers(const char*, const std::vector<double>&) {}
  void flag(const char*, bool, bool) {}
  void padding(const char*, Padding, Padding) {}
  void margins(const char*, int, int, int, int) {}
  void last_axis(const char*) {}
  void initializer(const char*, Initializer) {}
  void rate(const char*, float) {}
  void shape(const char*, const Shape&) {}
  void indices(const char*, const std::vector<int>&) {}
  void networks(const char*, const std::vector<Sequential>&) {}
  void fixed(const char*, const FixedSetting&, Missing) {}
};

}  // namespace

std::vector<const StoredLayer*> weighted_layers(const StoredModel& stored) {
  std::vector<const StoredLayer*> layers;
  for (const StoredLayer& layer : stored.layers) {
    if (!layer.weights.empty()) layers.push_back(&layer);
  }
  return layers;
}

std::optional<Sequential> recognize(const StoredModel& stored, const Safetensors& tensors,
                                    const Shape& input, const std::string& name) {
  const auto layers = weighted_layers(stored);
  const Kind kind = kind_of(layers);
  const auto out = static_cast<int>(outputs(layers, tensors));
  if (kind.dense != 2 || kind.dense + kind.convolutions != layers.size() || out == 0) {
    return std::nullopt;
  }
  if (kind.convolutions == 4) return cnn(name, input, out, CnnSize::small);
  if (kind.convolutions == 6) return cnn(name, input, out, CnnSize::large);
  if (kind.convolutions == 0 && out % 2 == 0) return importance_model(name, input, out / 2);
  return std::nullopt;
}

std::string in_words(const Sequential& model) {
  std::string words;
  const std::vector<LayerInfo> infos = describe_layers(model);
  for (std::size_t i = 0; i < infos.size(); ++i) {
    if (changes_training_alone(infos[i])) continue;
    const Layer& layer = model.layers[i];
    words += fmt::format("{}{}", words.empty() ? "" : ", ", class_name_of(layer));
    WordsOfSettings settings{words};
    visit_settings(layer, settings);
  }
  return words;
}

std::string in_words(const StoredModel& stored, const Safetensors& tensors) {
  const auto layers = weighted_layers(stored);
  const Kind kind = kind_of(layers);
  return fmt::format("{} with {} outputs",
                     kind.convolutions > 0 ? "CNN"
                     : kind.dense > 0      ? "dense layers"
                                           : "no known model",
                     outputs(layers, tensors));
}

}  // namespace sluice

#include "formats/import/probabilities.h"

#include <algorithm>
#include <set>

#include "base/fail.h"
#include "graph/layer_types.h"
#include "graph/wiring.h"

namespace sluice {

namespace {

/// The activation of a layer; null for layers without one.
Activation* activation_in(Layer& layer) {
  return std::visit(
      [](auto& each) -> Activation* {
        if constexpr (requires { each.activation; }) return &each.activation;
        return nullptr;
      },
      layer);
}

/// Whether a layer gives the values that it takes.
bool keeps_values(Layer& layer) {
  const Activation* activation = activation_in(layer);
  if (std::holds_alternative<ActivationLayer>(layer)) return *activation == Activation::linear;
  return std::holds_alternative<Dropout>(layer) || std::holds_alternative<Flatten>(layer) ||
         std::holds_alternative<Reshape>(layer);
}

/// The layer whose values the output has; null if that is the input.
Layer* last_layer(Sequential& model) {
  const std::vector<std::vector<int>> sources = sources_of_layers(model);
  int at = static_cast<int>(model.layers.size()) - 1;
  while (at != kImages && keeps_values(model.layers[static_cast<std::size_t>(at)])) {
    at = sources[static_cast<std::size_t>(at)].front();
  }
  return at == kImages ? nullptr : &model.layers[static_cast<std::size_t>(at)];
}

OutputMeaning meaning_of(Layer* last) {
  if (last == nullptr) return OutputMeaning::unknown;
  if (std::holds_alternative<LeakyReLU>(*last) || std::holds_alternative<ELU>(*last)) {
    return OutputMeaning::unknown;
  }
  const Activation* activation = activation_in(*last);
  if (activation == nullptr || *activation == Activation::linear) return OutputMeaning::logits;
  if (*activation == Activation::softmax) return OutputMeaning::probabilities;
  return *activation == Activation::sigmoid ? OutputMeaning::independent : OutputMeaning::unknown;
}

/// Adds layers at the end, the last with a kernel of these values; the others have no tensors.
void append(SavedModel& saved, const std::vector<Layer>& layers, const std::vector<float>& kernel) {
  const Weights before = std::move(saved.weights);
  for (const Layer& layer : layers) saved.model.layers.push_back(layer);
  saved.weights = Weights(saved.model);
  const std::vector<Weights::Tensor>& tensors = saved.weights.tensors();
  for (std::size_t t = 0; t < before.tensors().size(); ++t) {
    std::ranges::copy(before.values(before.tensors()[t]), saved.weights.values(tensors[t]).begin());
  }
  if (!kernel.empty()) std::ranges::copy(kernel, saved.weights.values(tensors.back()).begin());
}

/// A name that no layer has.
std::string free_name(const Sequential& model, std::string name) {
  std::set<std::string> names;
  for (const Layer& layer : model.layers) names.insert(name_of(layer));
  while (names.contains(name)) name += "_";
  return name;
}

}  // namespace

OutputMeaning output_meaning(const Sequential& model) {
  Sequential copy = model;
  return meaning_of(last_layer(copy));
}

void give_probabilities(SavedModel& saved, const std::string& place,
                        const std::function<void(const std::string&)>& say) {
  const auto tell = [&](const std::string& line) {
    if (say) say(place + ": " + line);
  };
  const Shape output = summarize(saved.model).back().output;
  const std::int64_t count = element_count(output);
  if (std::ranges::none_of(output, [&](std::int64_t size) { return size == count; })) return;
  Layer* last = last_layer(saved.model);
  const OutputMeaning meaning = meaning_of(last);
  if (meaning == OutputMeaning::unknown) {
    throw user_error("model",
                     "{}: its output is that of layer '{}' ({}), which gives neither probabilities "
                     "nor logits: end it with a softmax",
                     place, last == nullptr ? kImagesName : name_of(*last),
                     last == nullptr                   ? "its input"
                     : activation_in(*last) != nullptr ? word_of(*activation_in(*last))
                                                       : class_name_of(*last));
  }
  std::vector<Layer> more;
  if (output.size() > 1) more.push_back(Flatten{free_name(saved.model, "flat_output")});
  std::vector<float> kernel;
  if (count == 1) {
    if (meaning == OutputMeaning::probabilities) {
      throw user_error(
          "model",
          "{}: its output is one unit with a softmax, which is always 1: train it with "
          "a sigmoid, or with two units",
          place);
    }
    // [1 - p, p] is the softmax of [0, z], where p is the sigmoid of z.
    if (meaning == OutputMeaning::independent) *activation_in(*last) = Activation::linear;
    more.push_back(Dense{free_name(saved.model, "two_classes"), 2, Activation::softmax, false});
    kernel = {0, 1};
    tell(fmt::format("its one output is {}: the first class is 0, the second is 1",
                     meaning == OutputMeaning::logits ? "taken for a logit of two classes"
                                                      : "a sigmoid, so there are two classes"));
  } else if (meaning == OutputMeaning::logits) {
    more.push_back(ActivationLayer{free_name(saved.model, "probabilities"), Activation::softmax});
    tell("its outputs are logits: a softmax is added");
  } else if (meaning == OutputMeaning::independent) {
    tell("each of its outputs is a sigmoid by itself: a prediction is their shares of the sum");
  }
  if (!more.empty()) append(saved, more, kernel);
}

}  // namespace sluice

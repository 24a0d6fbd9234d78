#include "graph/activation.h"

#include <utility>

namespace sluice {

namespace {

using Names = std::vector<std::pair<Activation, const char*>>;

const Names& table() {
  static const Names words{{Activation::linear, "linear"},
                           {Activation::relu, "relu"},
                           {Activation::softmax, "softmax"},
                           {Activation::sigmoid, "sigmoid"},
                           {Activation::tanh, "tanh"},
                           {Activation::elu, "elu"},
                           {Activation::selu, "selu"},
                           {Activation::gelu, "gelu"},
                           {Activation::silu, "silu"},
                           {Activation::leaky_relu, "leaky_relu"},
                           {Activation::relu6, "relu6"},
                           {Activation::softplus, "softplus"},
                           {Activation::softsign, "softsign"},
                           {Activation::exponential, "exponential"},
                           {Activation::hard_sigmoid, "hard_sigmoid"},
                           {Activation::hard_silu, "hard_silu"},
                           {Activation::mish, "mish"}};
  return words;
}

}  // namespace

const char* word_of(Activation activation) {
  for (const auto& [each, name] : table()) {
    if (each == activation) return name;
  }
  return "linear";
}

std::optional<Activation> activation_of(std::string_view word) {
  if (word == "swish") return Activation::silu;
  if (word == "hard_swish") return Activation::hard_silu;
  for (const auto& [activation, name] : table()) {
    if (word == name) return activation;
  }
  return std::nullopt;
}

const std::vector<Activation>& all_activations() {
  static const std::vector<Activation> all = [] {
    std::vector<Activation> list;
    for (const auto& [activation, unused] : table()) list.push_back(activation);
    return list;
  }();
  return all;
}

std::string activation_words() {
  std::string list;
  for (const auto& [activation, word] : table())
    list += (list.empty() ? "" : ", ") + std::string(word);
  return list;
}

}  // namespace sluice

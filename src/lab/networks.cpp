#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "base/fail.h"
#include "base/text.h"
#include "graph/layer_types.h"
#include "lab/width.h"
#include "sluice/lab/models.h"

namespace sluice {

namespace {

/// Adds one layer after another.
class NetworkBuilder {
 public:
  NetworkBuilder(const std::string& name, const Shape& input, double width)
      : model_{name, input, {}}, width_(width) {}

  int wide(int filters) const { return widened(filters, width_); }

  /// Returns the layer's name.
  std::string add(Layer layer, const std::vector<std::string>& inputs = {}) {
    std::string name = std::visit([](const auto& each) { return each.name; }, layer);
    if (!inputs.empty()) model_.inputs[name] = inputs;
    model_.layers.push_back(std::move(layer));
    return name;
  }

  void freeze(const std::string& name) { model_.frozen.insert(name); }

  Sequential take() { return std::move(model_); }

 private:
  Sequential model_;
  double width_;
};

Conv2D convolution(const std::string& name, int filters, Size2D kernel, Size2D strides,
                   Initializer initializer) {
  return {name, filters, kernel, Activation::linear, strides, Padding::same, false, initializer};
}

/// Means and deviations of CIFAR-10's training images, colour or grey.
Normalization normalization(const std::string& name, std::int64_t channels) {
  std::vector<double> mean{0.4914, 0.4822, 0.4465};
  std::vector<double> deviation{0.2470, 0.2435, 0.2616};
  if (channels != 3) {
    mean.assign(static_cast<std::size_t>(channels), 0.4809);
    deviation.assign(mean.size(), 0.2392);
  }
  for (double& each : deviation) each *= each;
  return {name, std::move(mean), std::move(deviation)};
}

Sequential airbench(NetworkBuilder network, std::int64_t channels, int classes) {
  network.add(normalization("normalize", channels));
  network.add(Conv2D{"whiten", static_cast<int>(2 * 2 * 2 * channels), 2, Activation::gelu, 1,
                     Padding::valid, true, Initializer::whitening});
  network.freeze("whiten/kernel");
  const BatchNormalization norm{"", 0.6, 1e-12, true, false};
  const auto normalise = [&](const std::string& name) {
    BatchNormalization named = norm;
    named.name = name;
    network.add(named);
  };
  for (int block = 1; block <= 3; ++block) {
    const int filters = network.wide(block == 1 ? 64 : 256);
    const std::string name = fmt::format("block{}.", block);
    network.add(convolution(name + "conv1", filters, 3, 1, Initializer::identity));
    network.add(MaxPooling2D{name + "pool"});
    normalise(name + "norm1");
    network.add(ActivationLayer{name + "gelu1", Activation::gelu});
    network.add(convolution(name + "conv2", filters, 3, 1, Initializer::identity));
    normalise(name + "norm2");
    network.add(ActivationLayer{name + "gelu2", Activation::gelu});
  }
  network.add(GlobalMaxPooling2D{"pool"});
  network.add(Dense{"output", classes, Activation::linear, false, Initializer::fan_in});
  network.add(Rescaling{"scale", 1.0 / 9});
  network.add(ActivationLayer{"softmax", Activation::softmax});
  return network.take();
}

Sequential resnet20(NetworkBuilder network, int classes) {
  const auto normalised = [&](const std::string& name, int filters, Size2D kernel, Size2D strides,
                              const std::vector<std::string>& inputs = {}) {
    network.add(convolution(name, filters, kernel, strides, Initializer::he_normal), inputs);
    return network.add(BatchNormalization{name + ".norm", 0.9, 1e-5});
  };
  normalised("conv", network.wide(16), 3, 1);
  std::string last = network.add(ActivationLayer{"relu"});
  for (int stage = 1; stage <= 3; ++stage) {
    const int filters = network.wide(8 << stage);
    for (int block = 1; block <= 3; ++block) {
      const std::string name = fmt::format("block{}.{}.", stage, block);
      const bool halves = stage > 1 && block == 1;
      std::string around = last;
      if (halves) around = normalised(name + "project", filters, 1, 2, {last});
      normalised(name + "conv1", filters, 3, halves ? 2 : 1, {last});
      network.add(ActivationLayer{name + "relu1"});
      const std::string through = normalised(name + "conv2", filters, 3, 1);
      network.add(Add{name + "add"}, {through, around});
      last = network.add(ActivationLayer{name + "relu2"});
    }
  }
  network.add(GlobalAveragePooling2D{"pool"});
  network.add(Dense{"output", classes, Activation::softmax});
  return network.take();
}

Sequential mobilenet_small(NetworkBuilder network, int classes) {
  const auto normalise = [&](const std::string& name) {
    network.add(BatchNormalization{name + ".norm", 0.99, 1e-3});
    network.add(ActivationLayer{name + ".relu", Activation::relu6});
  };
  network.add(convolution("conv", network.wide(8), 3, 2, Initializer::glorot_uniform));
  normalise("conv");
  // A quarter of the filters of MobileNet, and its strides.
  const std::vector<std::pair<int, int>> blocks{{16, 1},  {32, 2},  {32, 1},  {64, 2},  {64, 1},
                                                {128, 2}, {128, 1}, {128, 1}, {128, 1}, {128, 1},
                                                {128, 1}, {256, 2}, {256, 1}};
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::string name = fmt::format("block{}.", i + 1);
    network.add(DepthwiseConv2D{name + "depthwise", 3, Activation::linear, blocks[i].second,
                                Padding::same, false});
    normalise(name + "depthwise");
    network.add(convolution(name + "pointwise", network.wide(blocks[i].first), 1, 1,
                            Initializer::glorot_uniform));
    normalise(name + "pointwise");
  }
  network.add(GlobalAveragePooling2D{"pool"});
  network.add(Dense{"output", classes, Activation::softmax});
  return network.take();
}

Sequential listed(const std::string& name, const Shape& input, int classes, Sequential layers) {
  layers.name = name;
  layers.input = input;
  if (std::holds_alternative<Cascade>(layers.layers.back())) {
    layers.layers.push_back(ActivationLayer{"output", Activation::softmax});
  } else {
    layers.layers.push_back(Dense{"output", classes, Activation::softmax});
  }
  summarize(layers);  // throws where they do not fit
  return layers;
}

Sequential trainable_network(const std::string& name, const Shape& input, int classes,
                             const NetworkChoice& choice) {
  if (choice.name == "lab") return cnn(name, input, classes, choice.size, choice.width);
  if (choice.name == "layers") {
    require_width(name, choice.width);
    return listed(name, input, classes, widened(choice.layers, choice.width));
  }
  require_width(name, choice.width);
  NetworkBuilder builder(name, input, choice.width);
  Sequential model = choice.name == "airbench" ? airbench(std::move(builder), input.back(), classes)
                     : choice.name == "resnet20" ? resnet20(std::move(builder), classes)
                     : choice.name == "mobilenet-small"
                         ? mobilenet_small(std::move(builder), classes)
                         : Sequential{};
  if (model.layers.empty()) {
    throw user_error("model", "there is no network '{}': it is one of {}", choice.name,
                     fmt::join(network_names(), ", "));
  }
  summarize(model);  // throws where the input is too small
  return model;
}

/// Freezes the layers of a NetworkChoice::freeze.
void freeze(const std::vector<std::string>& patterns, Sequential& model) {
  if (patterns.empty()) return;
  std::vector<std::string> names;
  for (const Layer& layer : model.layers) names.push_back(name_of(layer));
  for (const std::string& pattern : patterns) {
    const auto fits = [&](const std::string& name) {
      return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1))
                                    : name == pattern;
    };
    if (std::ranges::none_of(names, fits)) {
      throw user_error("model", "model.freeze: {} is no layer of the network: {}",
                       one_line(pattern),
                       one_line(suggestion(pattern, names, "its layers are"), 400));
    }
    std::ranges::copy_if(names, std::inserter(model.frozen, model.frozen.end()), fits);
  }
  if (Weights(model).trained().empty()) {
    throw user_error("model", "model.freeze leaves no layer that is trained: give fewer");
  }
}

}  // namespace

const std::vector<std::string>& network_names() {
  static const std::vector<std::string> names{"lab", "airbench", "resnet20", "mobilenet-small"};
  return names;
}

Sequential network(const std::string& name, const Shape& input, int classes,
                   const NetworkChoice& choice) {
  Sequential model = trainable_network(name, input, classes, choice);
  freeze(choice.freeze, model);
  return model;
}

}  // namespace sluice

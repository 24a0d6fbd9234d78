#include "formats/onnx/network_builder.h"

#include <algorithm>
#include <utility>

#include "base/fail.h"
#include "formats/model/declaration.h"
#include "graph/layer_types.h"
#include "graph/wiring.h"

namespace sluice {
namespace {

constexpr std::size_t kMostLayers = 1000;
constexpr std::int64_t kMostValuesOfLayer = 1LL << 32;

/// "features.0" of "/features/features.0/Conv", and "conv2d" of "model/conv2d/Conv2D".
std::string_view last_part(std::string_view path, std::string_view op) {
  std::size_t cut = path.rfind('/');
  if (cut != path.npos && cut > 0 && path.substr(cut + 1).starts_with(op)) {
    path = path.substr(0, cut);
    cut = path.rfind('/');
  }
  return cut == path.npos ? path : path.substr(cut + 1);
}

}  // namespace

NetworkBuilder::NetworkBuilder(Shape input) : input_(std::move(input)) {}

OnnxValue NetworkBuilder::add(const NodeReader& node, std::string_view name, Layer layer,
                              const std::vector<const OnnxValue*>& sources, std::vector<int> axes,
                              Tensors tensors) {
  if (layers_.size() == kMostLayers) node.refuse("is one too many: Sluice reads a thousand layers");
  std::vector<Shape> shapes;
  Placed placed{std::move(layer), {}, {}, std::move(tensors)};
  for (const OnnxValue* source : sources) {
    shapes.push_back(source->shape);
    placed.sources.push_back(source->layer);
  }
  const std::string own = unique(last_part(name, node.op()), name);
  std::visit([&](auto& each) { each.name = own; }, placed.layer);
  LayerInfo info;
  try {
    info = describe(placed.layer, shapes);
  } catch (const Error& error) {
    node.refuse(fmt::format("does not fit: {}", untagged(error)));
  }
  if (most_values(info) > kMostValuesOfLayer) node.refuse("is larger than Sluice computes");
  bool fits = info.tensors.size() == placed.tensors.size();
  for (std::size_t i = 0; fits && i < info.tensors.size(); ++i) {
    fits =
        element_count(info.tensors[i].shape) == static_cast<std::int64_t>(placed.tensors[i].size());
  }
  if (!fits) node.refuse("has weights that do not fit what it takes");
  placed.output = info.output;
  placed.non_negative = gives_non_negative(placed.layer, placed.sources);
  places_[own] = layers_.size();
  layers_.push_back(std::move(placed));
  return {own, std::move(info.output), std::move(axes)};
}

bool NetworkBuilder::add_bias(const std::string& layer, const std::vector<float>& bias) {
  const auto found = places_.find(layer);
  if (found == places_.end()) return false;
  Placed& placed = layers_[found->second];
  if (placed.output.back() != static_cast<std::int64_t>(bias.size())) return false;
  const bool added = std::visit(
      [](auto& each) {
        if constexpr (requires { each.use_bias; }) {
          return !std::exchange(each.use_bias, true);
        } else {
          return false;
        }
      },
      placed.layer);
  if (added) placed.tensors.push_back(bias);
  return added;
}

bool NetworkBuilder::is_non_negative(const std::string& layer) const {
  const auto found = places_.find(layer);
  return found == places_.end() || layers_[found->second].non_negative;
}

SavedModel NetworkBuilder::finish(const std::string& output) {
  drop_unused(output);
  Sequential model{"model", input_, {}};
  std::string before = kImagesName;
  for (const Placed& placed : layers_) {
    const std::string& name = name_of(placed.layer);
    if (placed.sources != std::vector{before}) model.inputs[name] = placed.sources;
    model.layers.push_back(placed.layer);
    before = name;
  }
  Weights weights(model);
  auto tensor = weights.tensors().begin();
  for (Placed& placed : layers_) {
    for (std::vector<float>& values : placed.tensors) {
      std::ranges::copy(values, weights.values(*tensor++).begin());
      values = {};  // half the memory
    }
  }
  return {std::move(model), std::move(weights), {}};
}

/// The layer's name, or where another has that its whole path, or that and a number.
std::string NetworkBuilder::unique(std::string_view name, std::string_view longer) const {
  const auto taken = [&](const std::string& text) {
    return text == kImagesName || places_.contains(text);
  };
  std::string own = to_name(name);
  if (taken(own)) own = to_name(longer.starts_with('/') ? longer.substr(1) : longer);
  for (int n = 2; taken(own); ++n) own = to_name(name, fmt::format("_{}", n));
  return own;
}

bool NetworkBuilder::gives_non_negative(const Layer& layer,
                                        const std::vector<std::string>& sources) const {
  if (const auto* activation = std::get_if<ActivationLayer>(&layer)) {
    switch (activation->activation) {
      case Activation::relu:
      case Activation::relu6:
      case Activation::sigmoid:
      case Activation::hard_sigmoid:
      case Activation::softmax:
      case Activation::softplus:
      case Activation::exponential:
        return true;
      default:
        return false;
    }
  }
  const bool keeps_sign =
      std::holds_alternative<MaxPooling2D>(layer) ||
      std::holds_alternative<AveragePooling2D>(layer) ||
      std::holds_alternative<GlobalAveragePooling2D>(layer) ||
      std::holds_alternative<GlobalMaxPooling2D>(layer) ||
      std::holds_alternative<ZeroPadding2D>(layer) || std::holds_alternative<Flatten>(layer) ||
      std::holds_alternative<Reshape>(layer) || std::holds_alternative<Concatenate>(layer) ||
      std::holds_alternative<Add>(layer) || std::holds_alternative<Multiply>(layer);
  return keeps_sign && std::ranges::all_of(sources, [&](const std::string& source) {
           return is_non_negative(source);
         });
}

void NetworkBuilder::drop_unused(const std::string& output) {
  std::set<std::string> used{output};
  for (auto placed = layers_.rbegin(); placed != layers_.rend(); ++placed) {
    if (used.contains(name_of(placed->layer))) {
      used.insert(placed->sources.begin(), placed->sources.end());
    }
  }
  std::erase_if(layers_,
                [&](const Placed& placed) { return !used.contains(name_of(placed.layer)); });
}

}  // namespace sluice

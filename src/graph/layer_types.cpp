#include "graph/layer_types.h"

#include <algorithm>
#include <cmath>

namespace sluice {

namespace {

constexpr std::int64_t kMostValues = std::int64_t{1} << 40;  ///< limit for an output or a tensor

/// Checks each setting. Throws misfit() for one out of range.
struct RangeCheck {
  void count(const char* name, std::int64_t value, std::int64_t most) const {
    if (value >= 1 && value <= most) return;
    throw misfit("{} must be from 1 to {}, not {}", name, most, value);
  }
  void size(const char* name, const Size2D& value, std::int64_t most, Size2D = 1) const {
    count(name, value.height, most);
    count(name, value.width, most);
  }
  void rate(const char* name, float value) const {
    if (!(value >= 0 && value < 1)) throw misfit("{} must be from 0 up to 1, not {}", name, value);
  }
  void number(const char* name, double value, double) const {
    if (!std::isfinite(value)) throw misfit("{} must be a finite number, not {}", name, value);
  }
  void numbers(const char* name, const std::vector<double>& values) const {
    count(name, static_cast<std::int64_t>(values.size()), kMostUnits);
    for (const double value : values) number(name, value, 0);
  }
  void margins(const char* name, int top, int bottom, int left, int right) const {
    for (const int margin : {top, bottom, left, right}) {
      if (margin >= 0 && margin <= kMostMargin) continue;
      throw misfit("{} must be from 0 to {}, not {}", name, kMostMargin, margin);
    }
  }
  void flag(const char*, bool, bool) const {}
  void padding(const char*, Padding, Padding) const {}
  void last_axis(const char*) const {}
  void activation(const char*, Activation) const {}
  void initializer(const char*, Initializer) const {}
  void shape(const char* name, const Shape& value) const {
    if (value.empty() || value.size() > kMostAxes) {
      throw misfit("{} must have from 1 to {} sizes, not {}", name, kMostAxes, value.size());
    }
    for (const std::int64_t size : value) count(name, size, kMostUnits);
  }
  void indices(const char*, const std::vector<int>&) const {}  // describe() checks them
  void networks(const char* name, const std::vector<Sequential>& values) const {
    count(name, static_cast<std::int64_t>(values.size()), kMostExperts);
  }
  void fixed(const char*, const FixedSetting&, Missing) const {}
};

/// Calls see(a layer of each type), in the order of Layer.
template <std::size_t index = 0, class See>
void for_each_type(const See& see) {
  if constexpr (index < std::variant_size_v<Layer>) {
    see(std::variant_alternative_t<index, Layer>{});
    for_each_type<index + 1>(see);
  }
}

}  // namespace

const std::string& name_of(const Layer& layer) {
  return std::visit([](const auto& any) -> const std::string& { return any.name; }, layer);
}

const char* class_name_of(const Layer& layer) {
  return std::visit(
      [](const auto& any) { return LayerType<std::remove_cvref_t<decltype(any)>>::kClassName; },
      layer);
}

std::vector<std::string> layer_class_names() {
  std::vector<std::string> names;
  for_each_type([&](const Layer& layer) { names.emplace_back(class_name_of(layer)); });
  return names;
}

std::optional<Layer> make_layer(std::string_view class_name) {
  std::optional<Layer> found;
  for_each_type([&](const Layer& layer) {
    if (class_name == class_name_of(layer)) found = layer;
  });
  return found;
}

LayerInfo describe(const Layer& layer, std::span<const Shape> inputs) {
  RangeCheck check;
  visit_settings(layer, check);
  LayerInfo info = std::visit(
      [&](const auto& any) {
        using Type = LayerType<std::remove_cvref_t<decltype(any)>>;
        if constexpr (requires { Type::describe(any, inputs); }) {
          return Type::describe(any, inputs);
        } else {
          if (inputs.size() != 1) throw misfit("takes one input, not {}", inputs.size());
          return Type::describe(any, inputs[0]);
        }
      },
      layer);
  if (most_values(info) > kMostValues) {
    throw misfit("its output or a tensor is larger than any memory");
  }
  return info;
}

std::int64_t most_values(const LayerInfo& info) {
  std::int64_t most = element_count(info.output);
  for (const TensorSpec& tensor : info.tensors) most = std::max(most, element_count(tensor.shape));
  return most;
}

bool changes_training_alone(const LayerInfo& info) {
  return std::ranges::all_of(info.operations, [](const Operation& operation) {
    return std::holds_alternative<operation::Dropout>(operation);
  });
}

}  // namespace sluice

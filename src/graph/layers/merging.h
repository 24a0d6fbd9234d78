#pragma once

#include <span>

#include "graph/layer_type.h"

namespace sluice {

/// Throws misfit() unless there are two inputs or more, of one number of axes.
inline void require_several(std::span<const Shape> inputs) {
  constexpr std::size_t kMostInputs = 64;
  if (inputs.size() < 2 || inputs.size() > kMostInputs) {
    throw misfit("takes from 2 to {} inputs, not {}", kMostInputs, inputs.size());
  }
}

/// What Add and Multiply share.
template <class Merged>
struct LayerTypeOfValues {
  template <class L, class Settings>
  static void visit(L&, Settings&) {}

  static LayerInfo describe(const auto&, std::span<const Shape> inputs) {
    require_several(inputs);
    for (const Shape& input : inputs) {
      if (input != inputs[0]) {
        throw misfit("takes inputs of one shape, not {} and {}", to_string(inputs[0]),
                     to_string(input));
      }
    }
    return {.output = inputs[0], .operations = {Merged{}}};
  }
};

template <>
struct LayerType<Add> : LayerTypeOfValues<operation::Add> {
  static constexpr const char* kClassName = "Add";
};

template <>
struct LayerType<Multiply> : LayerTypeOfValues<operation::Multiply> {
  static constexpr const char* kClassName = "Multiply";
};

template <>
struct LayerType<Concatenate> {
  static constexpr const char* kClassName = "Concatenate";

  template <class L, class Settings>
  static void visit(L&, Settings& settings) {
    settings.last_axis("axis");
  }

  static LayerInfo describe(const Concatenate&, std::span<const Shape> inputs) {
    require_several(inputs);
    Shape output = inputs[0];
    for (const Shape& input : inputs.subspan(1)) {
      const bool fits = input.size() == output.size() &&
                        std::equal(input.begin(), input.end() - 1, output.begin());
      if (!fits) {
        throw misfit("takes inputs that differ in the last axis alone, not {} and {}",
                     to_string(inputs[0]), to_string(input));
      }
      output.back() += input.back();
    }
    return {.output = output, .operations = {operation::Concatenate{}}};
  }
};

}  // namespace sluice

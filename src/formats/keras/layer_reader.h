#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/keras/connections.h"
#include "sluice/network.h"

namespace sluice {

/// [null, 32, 32, 3] without its first: sizes that are fixed. Throws Error (user) naming `place`.
Shape read_input_shape(const nlohmann::json& batch_shape, const std::string& place);

/// A layer's object in a configuration of Keras's. Every function throws Error (user) where Sluice
/// cannot compute what it asks for: place, layer, setting, and what would be possible.
class LayerReader {
 public:
  /// `keras_2` if Keras 2 wrote it, whose hard_sigmoid is another function.
  LayerReader(const nlohmann::json& object, const std::string& place, bool keras_2);

  const std::string& class_name() const { return class_name_; }
  /// Empty where the file has none.
  const std::string& name() const { return name_; }
  /// "float32", or what else it computes in that Sluice can convert: "mixed_bfloat16".
  std::string data_type() const;
  bool trainable() const { return flag("trainable", true); }
  /// Of an InputLayer.
  const nlohmann::json& batch_shape() const;
  /// The layer that it configures, for that input; of any type of Layer.
  Layer layer(const Shape& input) const;
  /// The layer that does what an operation of that name does with its inputs: arithmetic with
  /// numbers, add, multiply and concatenate, activations.
  Layer operation(const std::string& name, const KerasCall& call, const Shape& input,
                  std::size_t inputs) const;
  /// Of the operation "cast".
  bool casts_to_float(const KerasCall& call) const;
  /// Whether it is a Normalization whose mean and variance are weights.
  bool is_adapted() const;
  /// Of an Activation, ReLU or Softmax; nothing for other layers.
  std::optional<Activation> lone_activation() const;
  /// Whether it gives at inference what it is given, and is no layer that Sluice computes.
  bool does_nothing_at_inference(const Shape& input) const;

  [[noreturn]] void refuse(std::string_view why) const;

 private:
  class Settings;

  /// A setting; null if it is not there.
  const nlohmann::json& get(const char* key) const;
  int positive(const char* key) const;
  double number(const char* key, double otherwise) const;
  /// [3, 5], or 3 for both.
  Size2D size(const char* key) const;
  std::vector<double> numbers(const char* key, std::size_t count) const;
  bool flag(const char* key, bool otherwise) const;
  Padding padding(const char* key) const;
  /// ((top, bottom), (left, right)), (rows, columns), or one number.
  std::array<int, 4> margins(const char* key) const;
  void require_last_axis(const char* key, std::size_t axes) const;
  Activation activation() const;
  Shape target_shape(const char* key, const Shape& input) const;
  /// Refuses any but this value; a setting that is not there has it.
  void require(const char* key, const nlohmann::json& value) const;

  const std::string& place_;
  const nlohmann::json* config_ = nullptr;
  bool keras_2_;
  std::string class_name_;
  std::string name_;
};

}  // namespace sluice

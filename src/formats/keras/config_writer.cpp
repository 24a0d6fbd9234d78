#include "formats/keras/config_writer.h"

#include "base/fail.h"
#include "base/text.h"
#include "formats/keras/fixed_setting.h"

namespace sluice {

namespace {

/// Writes the settings of a layer.
struct ConfigWriter {
  KerasJson config = KerasJson::object();

  void count(const char* key, int value, std::int64_t) { config[key] = value; }
  void size(const char* key, const Size2D& value, std::int64_t, const Size2D& = 1) {
    config[key] = {value.height, value.width};
  }
  void rate(const char* key, float value) { config[key] = value; }
  void number(const char* key, double value, double) { config[key] = value; }
  void numbers(const char* key, const std::vector<double>& values) { config[key] = values; }
  void flag(const char* key, bool value, bool) { config[key] = value; }
  void padding(const char* key, Padding value, Padding) { config[key] = word_of(value); }
  void margins(const char* key, int top, int bottom, int left, int right) {
    config[key] = {{top, bottom}, {left, right}};
  }
  void last_axis(const char* key) { config[key] = -1; }
  void activation(const char* key, Activation value) { config[key] = word_of(value); }
  void shape(const char* key, const Shape& value) { config[key] = value; }
  void initializer(const char*, Initializer) {}
  // Of mixtures alone.
  void indices(const char*, const std::vector<int>&) {}
  void networks(const char*, const std::vector<Sequential>&) {}
  void fixed(const char* key, const FixedSetting& value, Missing) {
    if (!std::holds_alternative<std::nullptr_t>(value)) config[key] = to_json<KerasJson>(value);
  }
};

/// Keras takes no name with a slash, and no two alike in a model.
void check_name(const std::string& name) {
  if (name.empty() || name.find('/') != std::string::npos) {
    throw user_error("keras", "'{}' cannot be a name in Keras: leave out the slash",
                     one_line(name));
  }
}

}  // namespace

void check_keras_names(const Sequential& model) {
  check_name(model.name);
  for (const LayerSummary& layer : summarize(model)) check_name(layer.name);
}

KerasJson keras_object(const std::string& class_name, const std::string& name,
                       const KerasJson& config) {
  KerasJson all{{"name", name}, {"trainable", true}, {"dtype", "float32"}};
  if (!config.is_null()) all.update(config);
  return {{"module", "keras.layers"},
          {"class_name", class_name},
          {"config", std::move(all)},
          {"registered_name", nullptr}};
}

KerasJson batch_shape(const Shape& shape) {
  KerasJson json = KerasJson::array({nullptr});
  for (const std::int64_t size : shape) json.push_back(size);
  return json;
}

KerasJson keras_input(const std::string& name, const Shape& shape) {
  return {{"module", "keras.layers"},
          {"class_name", "InputLayer"},
          {"config", {{"batch_shape", batch_shape(shape)}, {"dtype", "float32"}, {"name", name}}},
          {"registered_name", nullptr}};
}

KerasJson layer_object(const Layer& layer, const Sequential& model) {
  if (is_mixture(layer)) {
    throw user_error("keras", "Keras has no layer {}: export to safetensors or onnx",
                     class_name_of(layer));
  }
  ConfigWriter writer;
  visit_settings(layer, writer);
  if (model.frozen.contains(name_of(layer))) writer.config["trainable"] = false;
  return keras_object(class_name_of(layer), name_of(layer), writer.config);
}

KerasJson sequential_config(const Sequential& model) {
  KerasJson layers = KerasJson::array({keras_input("images", model.input)});
  for (const Layer& layer : model.layers) layers.push_back(layer_object(layer, model));
  return {{"module", "keras"},
          {"class_name", "Sequential"},
          {"config", {{"name", model.name}, {"trainable", true}, {"layers", std::move(layers)}}},
          {"registered_name", nullptr}};
}

}  // namespace sluice

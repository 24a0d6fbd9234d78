#include "formats/keras/config_writer.h"

#include "base/fail.h"
#include "base/text.h"
#include "graph/layer_words.h"

namespace sluice {

namespace {

struct Config {
  KerasJson operator()(const Conv2D& layer) const {
    return {{"filters", layer.filters},
            {"kernel_size", {layer.kernel_size, layer.kernel_size}},
            {"strides", {1, 1}},
            {"padding", "same"},
            {"data_format", "channels_last"},
            {"dilation_rate", {1, 1}},
            {"groups", 1},
            {"activation", word_of(layer.activation)},
            {"use_bias", true}};
  }
  KerasJson operator()(const MaxPooling2D& layer) const {
    return {{"pool_size", {layer.pool_size, layer.pool_size}},
            {"padding", "valid"},
            {"strides", {layer.pool_size, layer.pool_size}},
            {"data_format", "channels_last"}};
  }
  KerasJson operator()(const Dropout& layer) const { return {{"rate", layer.rate}}; }
  KerasJson operator()(const Flatten&) const { return {{"data_format", "channels_last"}}; }
  KerasJson operator()(const Dense& layer) const {
    return {{"units", layer.units}, {"activation", word_of(layer.activation)}, {"use_bias", true}};
  }
  KerasJson operator()(const Reshape& layer) const { return {{"target_shape", layer.target}}; }
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

KerasJson sequential_config(const Sequential& model) {
  KerasJson layers = KerasJson::array({keras_input("images", model.input)});
  for (const Layer& layer : model.layers) {
    layers.push_back(
        keras_object(class_name_of(layer), name_of(layer), std::visit(Config{}, layer)));
  }
  return {{"module", "keras"},
          {"class_name", "Sequential"},
          {"config", {{"name", model.name}, {"trainable", true}, {"layers", std::move(layers)}}},
          {"registered_name", nullptr}};
}

}  // namespace sluice

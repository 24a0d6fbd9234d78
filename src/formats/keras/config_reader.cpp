#include "formats/keras/config_reader.h"

#include <fmt/ranges.h>

#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "base/fail.h"
#include "base/text.h"
#include "formats/import/pixel_range.h"
#include "formats/keras/connections.h"
#include "formats/keras/keys.h"
#include "formats/keras/layer_reader.h"
#include "formats/model/declaration.h"
#include "graph/layer_types.h"
#include "graph/wiring.h"

namespace sluice {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxLayers = 1000;
constexpr std::int64_t kMaxValues = 1LL << 32;  ///< of a tensor, or of an output for one picture

/// What a Sequential without an input layer was built for.
Json shape_from_build(const Json& model, const Json& first) {
  const Json& config = model["config"];
  for (const auto& [object, key] :
       {std::pair<const Json*, const char*>{&config, "build_input_shape"},
        {&first["config"], "batch_input_shape"}}) {
    if (object->contains(key)) return (*object)[key];
  }
  const auto built = model.find("build_config");
  return built != model.end() && built->is_object() && built->contains("input_shape")
             ? (*built)["input_shape"]
             : Json();
}

/// A model's layers, each after all that it takes; those of a Sequential take the one before.
std::vector<ConnectedLayer> layers_in_order(const Json& model, const std::string& place) {
  const std::string type = text_in(model, "class_name");
  if (type == "Functional" || type == "Model") return connected_layers(model, place);
  if (type != "Sequential") {
    throw user_error("keras", "{}: it is a {}, and Sluice reads Sequential and Functional models",
                     place, one_line(type));
  }
  std::vector<ConnectedLayer> layers;
  for (const Json& layer : layers_of_config(model, place)) layers.push_back({&layer, {}});
  return layers;
}

/// What Keras 3 calls the groups of a model's layers, which it numbers in the order of the file.
std::map<const Json*, std::string> keys_of(const Json& model, const std::string& place) {
  std::map<const Json*, std::string> all;
  KerasKeys keys;
  for (const Json& layer : layers_of_config(model, place)) {
    all[&layer] = keys.next(text_in(layer, "class_name"));
  }
  return all;
}

class DeclarationReader {
 public:
  DeclarationReader(const std::string& place, const ConfigOptions& options)
      : place_(place), options_(options) {}

  /// What a layer gives: the layer of ours, or kImages, and its shape.
  struct Value {
    std::string layer;
    Shape shape;
    bool is_pixels = false;  ///< the images' values as they are, perhaps in another shape
  };

  /// `at` is where the model is in another, and `given` what that gives it; both empty for the
  /// outermost.
  Value model(const Json& model, const DeclaredModel::Weighted& at = {},
              std::optional<Value> given = {}) {
    const std::vector<ConnectedLayer> layers = layers_in_order(model, place_);
    if (!given && !layers.empty() &&
        text_in(*layers.front().object, "class_name") != "InputLayer" &&
        layers.front().object->is_object() && layers.front().object->contains("config")) {
      const Json shape = shape_from_build(model, *layers.front().object);
      if (!shape.is_null()) given = input(shape, "");
    }
    const std::map<const Json*, std::string> keys = keys_of(model, place_);
    const bool sequential = text_in(model, "class_name") == "Sequential";
    std::map<std::string, Value> values;
    std::optional<Value> last = given;
    bool has_input = false;
    for (const ConnectedLayer& connected : layers) {
      const LayerReader reader(*connected.object, place_, options_.keras_2);
      const std::string name = name_of_config(*connected.object);
      if (!name.empty() && values.contains(name)) reader.refuse("has the name of another layer");
      const DeclaredModel::Weighted here{at.key + keys.at(connected.object),
                                         at.path + reader.name(), reader.name()};
      std::vector<Value> sources;
      for (const std::string& source : connected.call.sources()) {
        sources.push_back(values.at(source));
      }
      if (reader.class_name() == "InputLayer") {
        if (has_input || (given && at.key.empty())) reader.refuse("is a second input");
        has_input = true;
        last = given ? *given : input(reader.batch_shape(), reader.data_type());
      } else {
        if (sequential && last) sources.push_back(*last);
        if (sources.empty()) {
          reader.refuse("comes before any input layer: build the model and save it again");
        }
        const std::string name_of_operation = operation_of(*connected.object);
        last = is_model_config(*connected.object) ? nested(*connected.object, here, sources, reader)
               : name_of_operation.empty()
                   ? layer(reader, here, sources)
                   : operation(name_of_operation, connected.call, reader, here, sources);
      }
      if (!name.empty()) values.emplace(name, *last);
    }
    if (!last) throw user_error("keras", "{}: it has no layers", place_);
    return *last;
  }

  DeclaredModel take(const std::string& name) {
    if (declared_.model.layers.empty()) throw user_error("keras", "{}: it has no layers", place_);
    declared_.model.name = name.empty() || is_name(name) ? name : to_name(name);
    if (!renamed_.empty()) {
      declared_.remarks.push_back(fmt::format(
          "{}: layers got names that are distinct and have only letters, digits, '_', '.' "
          "and '-', 128 at most: {}",
          place_, fmt::join(renamed_, ", ")));
    }
    if (!left_out_.empty()) {
      declared_.remarks.push_back(
          fmt::format("{}: layers that do nothing at inference are left out: {}", place_,
                      fmt::join(left_out_, ", ")));
    }
    for (const std::string& type : other_types_) {
      declared_.remarks.push_back(
          fmt::format("{}: Keras computes it in {}, Sluice in float32", place_, type));
    }
    return std::move(declared_);
  }

 private:
  /// The input of the whole model, and the layers that give it what the file takes.
  Value input(const Json& batch_shape, const std::string& data_type) {
    const Shape shape = read_input_shape(batch_shape, place_);
    const Shape picture = picture_of(shape);
    declared_.model.input = picture;
    Value value{kImagesName, picture, true};
    std::optional<PixelInput> pixels = options_.pixels;
    if (!pixels && (data_type.starts_with("uint") || data_type.starts_with("int"))) {
      pixels = PixelInput{0, 255};
      declared_.remarks.push_back(
          fmt::format("{}: its input is {}: it takes pictures of 0 to 255", place_, data_type));
    }
    if (pixels) {
      for (Layer& layer : layers_of_input(*pixels, picture, place_))
        value = add_own(std::move(layer), value);
      value.is_pixels = false;
    }
    if (picture == shape) return value;
    declared_.remarks.push_back(fmt::format("{}: its input of {} is taken for pictures of {}",
                                            place_, to_string(shape), to_string(picture)));
    const bool is_pixels = value.is_pixels;
    value = add_own(Reshape{"input_shape", shape}, value);
    value.is_pixels = is_pixels;
    return value;
  }

  /// (28, 28) are grey pictures; rows are square ones, grey or of three channels.
  static Shape picture_of(const Shape& shape) {
    constexpr std::int64_t kLeast = 8;
    if (shape.size() == 2) return {shape[0], shape[1], 1};
    for (const std::int64_t channels : {1, 3}) {
      if (shape.size() != 1 || shape[0] % channels != 0) continue;
      const std::int64_t pixels = shape[0] / channels;
      const auto side = std::llround(std::sqrt(static_cast<double>(pixels)));
      if (side >= kLeast && side * side * channels == shape[0]) return {side, side, channels};
    }
    return shape;
  }

  Value nested(const Json& object, const DeclaredModel::Weighted& here,
               const std::vector<Value>& sources, const LayerReader& reader) {
    if (sources.size() != 1) {
      reader.refuse(
          fmt::format("is a model of {} inputs, and Sluice reads those of one", sources.size()));
    }
    return model(object, {here.key + "/", here.path + "/", ""}, sources[0]);
  }

  Value layer(const LayerReader& reader, const DeclaredModel::Weighted& here,
              const std::vector<Value>& sources) {
    if (const std::string data_type = reader.data_type(); data_type != "float32") {
      other_types_.insert(data_type);
    }
    if (const std::optional<Activation> activation = reader.lone_activation()) {
      return add(ActivationLayer{"", *activation}, reader, here, sources);
    }
    if (sources.size() == 1 && reader.does_nothing_at_inference(sources[0].shape)) {
      return left_out(reader, sources[0]);
    }
    return scaled_or_added(reader.layer(sources[0].shape), reader, here, sources);
  }

  Value left_out(const LayerReader& reader, const Value& source) {
    left_out_.push_back(
        fmt::format("'{}' ({})", one_line(reader.name()), one_line(reader.class_name())));
    return source;
  }

  /// A layer, for pictures of 0 to 1 if it is the first that changes them.
  Value scaled_or_added(Layer layer, const LayerReader& reader, const DeclaredModel::Weighted& here,
                        const std::vector<Value>& sources) {
    DeclaredModel::Weighted at = here;
    at.on_pixels = sources.size() == 1 && sources[0].is_pixels;
    if (at.on_pixels && to_unit_range(layer)) {
      const auto* rescaling = std::get_if<Rescaling>(&layer);
      if (rescaling != nullptr && rescaling->offset == 0 &&
          std::fabs(rescaling->scale - 1) < 1e-6) {
        return {sources[0].layer, sources[0].shape, false};
      }
      declared_.remarks.push_back(takes_bytes(place_, reader.name()));
    }
    const bool keeps_pixels = at.on_pixels && (std::holds_alternative<Reshape>(layer) ||
                                               std::holds_alternative<Flatten>(layer));
    if (reader.is_adapted()) at.adapted = "?";
    Value value = add(std::move(layer), reader, at, sources);
    value.is_pixels = keeps_pixels;
    return value;
  }

  /// A call of keras.ops, or of TensorFlow in Keras 2.
  Value operation(const std::string& name, const KerasCall& call, const LayerReader& reader,
                  const DeclaredModel::Weighted& here, const std::vector<Value>& sources) {
    if (name == "cast" && reader.casts_to_float(call)) return left_out(reader, sources[0]);
    const Layer layer = reader.operation(name, call, sources[0].shape, sources.size());
    return scaled_or_added(layer, reader, here, sources);
  }

  Value add(Layer layer, const LayerReader& reader, const DeclaredModel::Weighted& here,
            const std::vector<Value>& sources) {
    const std::string name = name_for(reader, here.path);
    std::visit([&](auto& each) { each.name = name; }, layer);
    LayerInfo info = info_of(layer, sources, reader);
    push(std::move(layer), sources);
    if (!reader.trainable()) declared_.model.frozen.insert(name);
    if (!info.tensors.empty() || !here.adapted.empty()) {
      declared_.weighted.push_back(here);
      if (!here.adapted.empty()) declared_.weighted.back().adapted = name;
    }
    if (declared_.model.layers.size() > kMaxLayers) {
      reader.refuse("is one too many: Sluice reads a thousand");
    }
    return {name, std::move(info.output)};
  }

  /// A layer that the file does not have, and that fits.
  Value add_own(Layer layer, const Value& source) {
    names_.insert(name_of(layer));
    Value value{name_of(layer), describe(layer, std::vector<Shape>{source.shape}).output};
    push(std::move(layer), {source});
    return value;
  }

  void push(Layer layer, const std::vector<Value>& sources) {
    std::vector<Layer>& layers = declared_.model.layers;
    const std::string before = layers.empty() ? kImagesName : name_of(layers.back());
    if (sources.size() > 1 || sources[0].layer != before) {
      for (const Value& source : sources) {
        declared_.model.inputs[name_of(layer)].push_back(source.layer);
      }
    }
    layers.push_back(std::move(layer));
  }

  /// The layer's own name where Sluice's files can have it and no other layer does.
  std::string name_for(const LayerReader& reader, const std::string& path) {
    const std::string own =
        reader.name().empty() ? keras_snake_case(reader.class_name()) : reader.name();
    std::string name = to_name(own);
    if (names_.contains(name)) name = to_name(path);
    for (int n = 2; !names_.insert(name).second; ++n) name = to_name(own, fmt::format("_{}", n));
    if (name != own) {
      renamed_.push_back(fmt::format("'{}' is '{}'", one_line(path), one_line(name)));
    }
    return name;
  }

  static LayerInfo info_of(const Layer& layer, const std::vector<Value>& sources,
                           const LayerReader& reader) {
    std::vector<Shape> shapes;
    for (const Value& source : sources) shapes.push_back(source.shape);
    try {
      LayerInfo info = describe(layer, shapes);
      if (most_values(info) <= kMaxValues) return info;
    } catch (const Error& error) {
      reader.refuse(fmt::format("does not fit: {}", untagged(error)));
    }
    reader.refuse("is larger than Sluice computes");
  }

  const std::string& place_;
  const ConfigOptions& options_;
  DeclaredModel declared_;
  std::set<std::string> names_{kImagesName};  ///< those of the model's layers
  std::vector<std::string> renamed_;          ///< "'conv1/1' is 'conv1_1'"
  std::vector<std::string> left_out_;         ///< "'flip' (RandomFlip)"
  std::set<std::string> other_types_;         ///< but float32
};

}  // namespace

std::string text_in(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_string()
             ? found->get<std::string>()
             : std::string();
}

bool is_model_config(const Json& object) {
  if (!object.is_object() || !object.contains("config")) return false;
  const Json& config = object["config"];
  return config.is_array() ||
         (config.is_object() && config.contains("layers") && config["layers"].is_array());
}

const Json& layers_of_config(const Json& model, const std::string& place) {
  if (!is_model_config(model)) {
    throw user_error("keras", "{}: its configuration has no list of layers", place);
  }
  const Json& config = model["config"];
  return config.is_array() ? config : config["layers"];
}

DeclaredModel read_declared(const Json& model, const std::string& place,
                            const ConfigOptions& options) {
  layers_of_config(model, place);
  DeclarationReader reader(place, options);
  reader.model(model);
  return reader.take(text_in(model["config"], "name"));
}

}  // namespace sluice

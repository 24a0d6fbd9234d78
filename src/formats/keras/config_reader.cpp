#include "formats/keras/config_reader.h"

#include <fmt/ranges.h>

#include <set>

#include "base/fail.h"
#include "base/text.h"
#include "formats/keras/chain.h"
#include "formats/keras/keys.h"
#include "formats/keras/layer_reader.h"
#include "formats/model/declaration.h"
#include "graph/layer_types.h"

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

/// A model's layers from input to output.
std::vector<const Json*> layers_in_order(const Json& model, const std::string& place) {
  const std::string type = text_in(model, "class_name");
  if (type == "Functional" || type == "Model") return chain_of(model, place);
  if (type != "Sequential") {
    throw user_error("keras", "{}: it is a {}, and Sluice reads Sequential and Functional models",
                     place, one_line(type));
  }
  std::vector<const Json*> layers;
  for (const Json& layer : layers_of_config(model, place)) layers.push_back(&layer);
  return layers;
}

class DeclarationReader {
 public:
  explicit DeclarationReader(const std::string& place) : place_(place) {}

  /// `at` is where the model is in another; empty for the outermost.
  void model(const Json& model, const DeclaredModel::Weighted& at = {}) {
    const std::vector<const Json*> layers = layers_in_order(model, place_);
    if (!has_input_ && !layers.empty() && text_in(*layers.front(), "class_name") != "InputLayer" &&
        layers.front()->is_object() && layers.front()->contains("config")) {
      const Json shape = shape_from_build(model, *layers.front());
      if (!shape.is_null()) input(shape);
    }
    KerasKeys keys;
    std::set<std::string> names;
    for (const Json* object : layers) {
      const LayerReader reader(*object, place_);
      if (!reader.name().empty() && !names.insert(reader.name()).second) {
        reader.refuse("has the name of another layer");
      }
      const DeclaredModel::Weighted here{at.key + keys.next(reader.class_name()),
                                         at.path + reader.name(), reader.name()};
      if (is_model_config(*object)) {
        this->model(*object, {here.key + "/", here.path + "/", ""});
      } else {
        layer(reader, here, !at.key.empty());
      }
    }
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
    for (const std::string& type : other_types_) {
      declared_.remarks.push_back(
          fmt::format("{}: Keras computes it in {}, Sluice in float32", place_, type));
    }
    return std::move(declared_);
  }

 private:
  void input(const Json& batch_shape) {
    declared_.model.input = shape_ = read_input_shape(batch_shape, place_);
    has_input_ = true;
  }

  void layer(const LayerReader& reader, const DeclaredModel::Weighted& here, bool nested) {
    const std::string& type = reader.class_name();
    std::vector<Layer>& layers = declared_.model.layers;
    if (type == "InputLayer") {
      if (!has_input_) {
        input(reader.batch_shape());
      } else if (!nested) {
        reader.refuse("is a second input");
      }
      return;
    }
    if (!has_input_) {
      reader.refuse("comes before any input layer: build the model and save it again");
    }
    if (const std::string data_type = reader.data_type(); data_type != "float32") {
      other_types_.insert(data_type);
    }
    if (type == "Rescaling") {
      if (!layers.empty() || rescaled_) {
        reader.refuse("rescales again: Sluice can only before the first layer, and once");
      }
      reader.check_rescaling();
      rescaled_ = true;
      return;
    }
    if (const std::optional<Activation> activation = reader.lone_activation()) {
      apply(*activation, reader);
      return;
    }
    Layer layer = reader.layer(shape_);
    // A compiled network hands on values and no shapes.
    const auto* reshape = std::get_if<Reshape>(&layer);
    if (reshape != nullptr && reshape->target.size() == 1) layer = Flatten{};
    if (std::holds_alternative<Flatten>(layer) && shape_.size() == 1) return;
    if (!layers.empty() && std::holds_alternative<Reshape>(layers.back())) {
      reader.refuse("follows a Reshape: Sluice computes that last, or to one axis");
    }
    std::visit([&](auto& each) { each.name = name_for(reader, here.path); }, layer);
    const LayerInfo info = info_of(layer, reader);
    layers.push_back(std::move(layer));
    if (!info.tensors.empty()) declared_.weighted.push_back(here);
    if (layers.size() > kMaxLayers) reader.refuse("is one too many: Sluice reads a thousand");
    shape_ = info.output;
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

  LayerInfo info_of(const Layer& layer, const LayerReader& reader) const {
    try {
      LayerInfo info = describe(layer, shape_);
      if (most_values(info) <= kMaxValues) return info;
    } catch (const Error& error) {
      reader.refuse(fmt::format("does not fit: {}", untagged(error)));
    }
    reader.refuse("is larger than Sluice computes");
  }

  /// An activation of its own becomes that of the layer before.
  void apply(Activation activation, const LayerReader& reader) {
    if (activation == Activation::linear) return;
    std::vector<Layer>& layers = declared_.model.layers;
    Activation* before = layers.empty() ? nullptr : activation_for(layers.back(), activation);
    if (before == nullptr || *before != Activation::linear) {
      reader.refuse(
          "is an activation that follows no linear Conv2D or Dense: Sluice computes it only there");
    }
    *before = activation;
  }

  const std::string& place_;
  DeclaredModel declared_;
  Shape shape_;                        ///< after the last layer
  std::set<std::string> names_;        ///< those of the model's layers
  std::vector<std::string> renamed_;   ///< "'conv1/1' is 'conv1_1'"
  std::set<std::string> other_types_;  ///< but float32
  bool has_input_ = false;
  bool rescaled_ = false;
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

DeclaredModel read_declared(const Json& model, const std::string& place) {
  layers_of_config(model, place);
  DeclarationReader reader(place);
  reader.model(model);
  return reader.take(text_in(model["config"], "name"));
}

}  // namespace sluice

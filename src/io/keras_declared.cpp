#include "io/keras_declared.h"

#include <cmath>
#include <set>

#include "base/fail.h"
#include "base/text.h"
#include "io/keras_chain.h"
#include "io/keras_keys.h"
#include "io/keras_layer_reader.h"

namespace sluice {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxLayers = 1000;
constexpr double kMaxValues = 0x1p32;  ///< of a kernel, or of what a layer gives for one picture

double product(const Shape& shape) {
  double product = 1;
  for (const std::int64_t size : shape) product *= static_cast<double>(size);
  return product;
}

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

class DeclarationReader {
 public:
  explicit DeclarationReader(const std::string& place) : place_(place) {}

  void input(const Json& batch_shape) {
    declared_.model.input = shape_ = read_input_shape(batch_shape, place_);
    has_input_ = true;
  }

  void layer(const Json& object) {
    const LayerReader reader(object, place_);
    const std::string& type = reader.class_name();
    if (!names_.insert(reader.name()).second) reader.refuse("has the name of another layer");
    const std::string key = keys_.next(type);
    std::vector<Layer>& layers = declared_.model.layers;
    if (type == "InputLayer") {
      if (has_input_) reader.refuse("is a second input");
      input(reader.batch_shape());
      return;
    }
    if (!has_input_)
      reader.refuse("comes before any input layer: build the model and save it again");
    if (type == "Rescaling") {
      if (!layers.empty())
        reader.refuse("rescales between layers: Sluice can only before the first");
      reader.check_rescaling();
      return;
    }
    if (const std::optional<Activation> activation = reader.lone_activation()) {
      apply(*activation, reader);
      return;
    }
    layers.push_back(reader.layer(shape_));
    if (type == "Conv2D" || type == "Dense") {
      declared_.weighted.push_back({key, reader.name()});
    }
    if (layers.size() > kMaxLayers) reader.refuse("is one too many: Sluice reads a thousand");
    shape_ = shape_after(layers.back(), reader);
  }

  DeclaredModel take(const std::string& name) {
    if (declared_.model.layers.empty()) throw user_error("keras", "{}: it has no layers", place_);
    declared_.model.name = name;
    return std::move(declared_);
  }

 private:
  /// Of one layer alone, so that a thousand take no thousand times as long.
  Shape shape_after(const Layer& layer, const LayerReader& reader) const {
    // Sizes are a stranger's: that their product does not overflow comes first.
    double kernel = 0;
    double out = product(shape_);
    if (const auto* conv = std::get_if<Conv2D>(&layer)) {
      kernel = product({conv->kernel_size, conv->kernel_size, shape_.back(), conv->filters});
      out = out / static_cast<double>(shape_.back()) * conv->filters;
    }
    if (const auto* dense = std::get_if<Dense>(&layer)) {
      kernel = product({shape_.back(), dense->units});
    }
    if (kernel > kMaxValues || out > kMaxValues) reader.refuse("is larger than Sluice computes");
    try {
      return summarize({"", shape_, {layer}}).back().output;
    } catch (const Error& error) {
      const std::string_view what = error.what();
      reader.refuse(fmt::format("does not fit: {}", what.substr(what.rfind(": ") + 2)));
    }
  }

  /// An activation of its own becomes that of the layer before.
  void apply(Activation activation, const LayerReader& reader) {
    if (activation == Activation::linear) return;
    Activation* before = nullptr;
    if (!declared_.model.layers.empty()) {
      Layer& last = declared_.model.layers.back();
      if (auto* conv = std::get_if<Conv2D>(&last)) before = &conv->activation;
      if (auto* dense = std::get_if<Dense>(&last)) before = &dense->activation;
      if (std::holds_alternative<Conv2D>(last) && activation == Activation::softmax) {
        before = nullptr;
      }
    }
    if (before == nullptr || *before != Activation::linear) {
      reader.refuse(
          "is an activation that follows no linear Conv2D or Dense: Sluice computes it only there");
    }
    *before = activation;
  }

  const std::string& place_;
  DeclaredModel declared_;
  Shape shape_;  ///< after the last layer
  KerasKeys keys_;
  std::set<std::string> names_;
  bool has_input_ = false;
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
  const Json& all = layers_of_config(model, place);
  std::vector<const Json*> layers;
  const std::string type = text_in(model, "class_name");
  if (type == "Sequential") {
    for (const Json& layer : all) layers.push_back(&layer);
  } else if (type == "Functional" || type == "Model") {
    layers = chain_of(model, place);
  } else {
    throw user_error("keras", "{}: it is a {}, and Sluice reads Sequential and Functional models",
                     place, one_line(type));
  }
  DeclarationReader reader(place);
  if (!layers.empty() && text_in(*layers.front(), "class_name") != "InputLayer" &&
      layers.front()->is_object() && layers.front()->contains("config")) {
    const Json shape = shape_from_build(model, *layers.front());
    if (!shape.is_null()) reader.input(shape);
  }
  for (const Json* layer : layers) reader.layer(*layer);
  return reader.take(text_in(model["config"], "name"));
}

}  // namespace sluice

#include "formats/model/declaration.h"

#include <algorithm>
#include <array>

#include "base/fail.h"
#include "base/text.h"
#include "graph/layer_types.h"
#include "mixture/checks.h"

namespace sluice {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

constexpr std::size_t kMostLayers = 1000;
constexpr std::size_t kMostBranches = 1000;
constexpr std::size_t kMostInputs = 64;
constexpr std::size_t kMostFrozen = 4 * kMostLayers;  ///< layers and tensors
constexpr std::size_t kLongestName = 128;

const std::string& checked_name(const std::string& name) {
  if (is_name(name)) return name;
  throw user_error("model", "'{}' cannot be a name in a file: write 1 to {} bytes without '/'",
                   one_line(name), kLongestName);
}

/// Without the input.
OrderedJson declaration_of_layers(const Sequential& model);

/// Writes the settings of a layer.
struct SettingsWriter {
  OrderedJson& json;

  void count(const char* key, int value, std::int64_t) { json[key] = value; }
  void size(const char* key, const Size2D& value, std::int64_t) {
    json[key] = value.height;
    if (value.width != value.height) json[key] = {value.height, value.width};
  }
  void size(const char* key, const Size2D& value, std::int64_t most, const Size2D& otherwise) {
    if (value != otherwise) size(key, value, most);
  }
  void rate(const char* key, float value) { json[key] = value; }
  void number(const char* key, double value, double otherwise) {
    if (value != otherwise) json[key] = value;
  }
  void numbers(const char* key, const std::vector<double>& values) { json[key] = values; }
  void flag(const char* key, bool value, bool otherwise) {
    if (value != otherwise) json[key] = value;
  }
  void padding(const char* key, Padding value, Padding otherwise) {
    if (value != otherwise) json[key] = word_of(value);
  }
  void margins(const char* key, int top, int bottom, int left, int right) {
    json[key] = {top, bottom, left, right};
  }
  void activation(const char* key, Activation value) { json[key] = word_of(value); }
  void shape(const char* key, const Shape& value) { json[key] = value; }
  void indices(const char* key, const std::vector<int>& values) {
    if (!values.empty()) json[key] = values;
  }
  void networks(const char* key, const std::vector<Sequential>& values) {
    for (const Sequential& each : values) json[key].push_back(declaration_of_layers(each));
  }
  void last_axis(const char*) {}
  void initializer(const char*, Initializer) {}
  void fixed(const char*, const FixedSetting&, Missing) {}
};

OrderedJson to_declaration(const Layer& layer, const Sequential& model) {
  OrderedJson json{{"class_name", class_name_of(layer)}, {"name", checked_name(name_of(layer))}};
  SettingsWriter writer{json};
  visit_settings(layer, writer);
  const auto inputs = model.inputs.find(name_of(layer));
  if (inputs != model.inputs.end()) json["inputs"] = inputs->second;
  return json;
}

OrderedJson declaration_of_layers(const Sequential& model) {
  OrderedJson layers = OrderedJson::array();
  for (const Layer& layer : model.layers) layers.push_back(to_declaration(layer, model));
  OrderedJson json{{"name", checked_name(model.name)}, {"layers", layers}};
  if (!model.frozen.empty()) json["frozen"] = model.frozen;
  return json;
}

/// One JSON object being read: every key is asked for once, and none may be left.
class Fields {
 public:
  Fields(const Json& json, std::string place) : json_(json), place_(std::move(place)) {
    if (!json.is_object()) throw user_error("model", "{} is not a JSON object", place_);
  }

  const Json& value(const char* key) {
    const auto found = json_.find(key);
    if (found == json_.end()) throw user_error("model", "{} has no {}", place_, key);
    ++used_;
    return *found;
  }

  std::string name(const char* key) {
    const Json& json = value(key);
    const std::string* text = json.get_ptr<const std::string*>();
    if (text == nullptr || !is_name(*text)) {
      throw user_error("model", "{}: {} must be a name without '/', of {} bytes at most", place_,
                       key, kLongestName);
    }
    return *text;
  }

  int count(const char* key, std::int64_t most) {
    return static_cast<int>(whole_number(key, value(key), most));
  }

  bool has(const char* key) const { return json_.contains(key); }

  /// One size for both axes, or a list of two.
  Size2D size(const char* key, std::int64_t most) {
    const Json& json = value(key);
    if (!json.is_array()) return {static_cast<int>(whole_number(key, json, most))};
    if (json.size() != 2) throw user_error("model", "{}: {} must have two sizes", place_, key);
    return {static_cast<int>(whole_number(key, json[0], most)),
            static_cast<int>(whole_number(key, json[1], most))};
  }

  double number(const char* key, const Json& json) const {
    if (!json.is_number()) throw user_error("model", "{}: {} must be numbers", place_, key);
    return json.get<double>();
  }

  int index(const char* key, const Json& json) const {
    if (json.is_number_integer() && json >= 0 && json < kMostUnits) return json.get<int>();
    throw user_error("model", "{}: {} must be whole numbers from 0", place_, key);
  }

  bool flag(const char* key) {
    const Json& json = value(key);
    if (!json.is_boolean()) throw user_error("model", "{}: {} must be true or false", place_, key);
    return json.get<bool>();
  }

  Padding padding(const char* key) {
    const Json& json = value(key);
    for (const Padding each : {Padding::valid, Padding::same}) {
      if (json == word_of(each)) return each;
    }
    throw user_error("model", "{}: {} must be \"valid\" or \"same\"", place_, key);
  }

  std::array<int, 4> margins(const char* key) {
    const Json& json = value(key);
    std::array<int, 4> margins{};
    bool valid = json.is_array() && json.size() == margins.size();
    for (std::size_t i = 0; valid && i < margins.size(); ++i) {
      valid = json[i].is_number_integer() && json[i] >= 0 && json[i] <= kMostMargin;
      if (valid) margins[i] = json[i].get<int>();
    }
    if (valid) return margins;
    throw user_error("model", "{}: {} must be four whole numbers from 0 to {}", place_, key,
                     kMostMargin);
  }

  float rate(const char* key) {
    const Json& json = value(key);
    const double rate = json.is_number() ? json.get<double>() : -1;
    // What a float rounds up to 1 would be written as 1, and not be read again.
    if (!(rate >= 0 && rate < 1) || static_cast<float>(rate) == 1) {
      throw user_error("model", "{}: {} must be a number from 0 up to 1", place_, key);
    }
    return static_cast<float>(rate);
  }

  Activation activation(const char* key) {
    const Json& json = value(key);
    const auto found = json.is_string() ? activation_of(json.get<std::string>()) : std::nullopt;
    if (found) return *found;
    throw user_error("model", "{}: {} must be one of {}", place_, key, activation_words());
  }

  Shape shape(const char* key, std::size_t most_axes, std::int64_t most) {
    const Json& json = list(key, most_axes);
    Shape shape;
    for (const Json& size : json) shape.push_back(whole_number(key, size, most));
    return shape;
  }

  const Json& list(const char* key, std::size_t most) {
    const Json& json = value(key);
    if (!json.is_array() || json.empty() || json.size() > most) {
      throw user_error("model", "{}: {} must be a list of 1 to {}", place_, key, most);
    }
    return json;
  }

  std::vector<std::string> names(const char* key, std::size_t most) {
    std::vector<std::string> names;
    for (const Json& json : list(key, most)) {
      if (!json.is_string()) throw user_error("model", "{}: {} must be names", place_, key);
      names.push_back(json.get<std::string>());
    }
    return names;
  }

  /// A key that nobody asked for may change what the model is.
  void finish() const {
    if (used_ != json_.size()) {
      throw user_error("model", "{} has keys that this version of sluice does not know", place_);
    }
  }

 private:
  std::int64_t whole_number(const char* key, const Json& json, std::int64_t most) const {
    const bool fits = json.is_number_integer() && json >= 1 && json <= most;
    if (!fits) {
      throw user_error("model", "{}: {} must be whole numbers from 1 to {}", place_, key, most);
    }
    return json.get<std::int64_t>();
  }

  const Json& json_;
  std::string place_;
  std::size_t used_ = 0;
};

/// Reads the name, the layers and what is frozen.
Sequential layers_of(Fields& fields, const std::string& place, bool of_expert);

/// Gives a layer the settings that its object has.
struct SettingsReader {
  Fields& fields;
  const std::string& place;

  void count(const char* key, int& value, std::int64_t most) { value = fields.count(key, most); }
  void size(const char* key, Size2D& value, std::int64_t most) { value = fields.size(key, most); }
  void size(const char* key, Size2D& value, std::int64_t most, const Size2D& otherwise) {
    value = fields.has(key) ? fields.size(key, most) : otherwise;
  }
  void rate(const char* key, float& value) { value = fields.rate(key); }
  void number(const char* key, double& value, double otherwise) {
    value = fields.has(key) ? fields.number(key, fields.value(key)) : otherwise;
  }
  void numbers(const char* key, std::vector<double>& values) {
    values.clear();
    for (const Json& value : fields.list(key, kMostUnits)) {
      values.push_back(fields.number(key, value));
    }
  }
  void flag(const char* key, bool& value, bool otherwise) {
    value = fields.has(key) ? fields.flag(key) : otherwise;
  }
  void padding(const char* key, Padding& value, Padding otherwise) {
    value = fields.has(key) ? fields.padding(key) : otherwise;
  }
  void margins(const char* key, int& top, int& bottom, int& left, int& right) {
    const std::array<int, 4> all = fields.margins(key);
    top = all[0], bottom = all[1], left = all[2], right = all[3];
  }
  void activation(const char* key, Activation& value) { value = fields.activation(key); }
  void shape(const char* key, Shape& value) { value = fields.shape(key, kMostAxes, kMostUnits); }
  void indices(const char* key, std::vector<int>& values) {
    values.clear();
    if (!fields.has(key)) return;
    for (const Json& index : fields.list(key, kMostUnits)) {
      values.push_back(fields.index(key, index));
    }
  }
  void networks(const char* key, std::vector<Sequential>& values) {
    values.clear();
    for (const Json& each : fields.list(key, kMostExperts)) {
      const std::string at = fmt::format("{}: expert {}", place, values.size() + 1);
      Fields of_expert(each, at);
      values.push_back(layers_of(of_expert, at, true));
      of_expert.finish();
    }
  }
  void last_axis(const char*) {}
  void initializer(const char*, Initializer) {}
  void fixed(const char*, const FixedSetting&, Missing) {}
};

/// Adds a layer, and what it takes. An expert has no mixture: a file must not nest without end.
void add_layer(const Json& json, const std::string& place, bool of_expert, Sequential& model) {
  Fields fields(json, place);
  const std::string type = fields.name("class_name");
  std::optional<Layer> layer = make_layer(type);
  if (!layer) {
    throw user_error("model", "{}: {} is a layer this version of sluice does not know", place,
                     one_line(type));
  }
  if (of_expert && is_mixture(*layer)) {
    throw user_error("model", "{}: an expert cannot have a mixture", place);
  }
  const std::string name = fields.name("name");
  std::visit([&](auto& each) { each.name = name; }, *layer);
  SettingsReader reader{fields, place};
  visit_settings(*layer, reader);
  if (json.contains("inputs")) model.inputs[name] = fields.names("inputs", kMostInputs);
  fields.finish();
  model.layers.push_back(std::move(*layer));
}

Sequential layers_of(Fields& fields, const std::string& place, bool of_expert) {
  Sequential model{fields.name("name"), {}, {}};
  for (const Json& layer : fields.list("layers", kMostLayers)) {
    const std::string at = fmt::format("{}: layer {}", place, model.layers.size() + 1);
    add_layer(layer, at, of_expert, model);
  }
  if (fields.has("frozen")) {
    const std::vector<std::string> frozen = fields.names("frozen", kMostFrozen);
    model.frozen.insert(frozen.begin(), frozen.end());
  }
  return model;
}

/// What a library call refuses, with the place in the file before it.
template <class Check>
void require(const std::string& place, const Check& check) {
  try {
    check();
  } catch (const Error& error) {
    throw user_error("model", "{}: {}", place, untagged(error));
  }
}

}  // namespace

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && text.find('/') == std::string_view::npos &&
         printable(text) == text;
}

std::string to_name(std::string_view text, std::string_view suffix) {
  constexpr std::string_view kFirst =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.";
  std::string name;
  for (const char c : text) {
    if (!starts_code_point(c)) continue;
    name += c == '-' || kFirst.find(c) != std::string_view::npos ? c : '_';
  }
  // TensorFlow takes no other first character, and HDF5 no lone dot.
  if (name.empty() || name == "." || kFirst.find(name.front()) == std::string_view::npos) {
    name = "layer" + name;
  }
  name.resize(std::min(name.size(), kLongestName - suffix.size()));
  return name + std::string(suffix);
}

OrderedJson to_declaration(const Sequential& model) {
  const OrderedJson layers = declaration_of_layers(model);
  OrderedJson json{{"name", layers["name"]}, {"input_shape", model.input}};
  json.update(layers);
  return json;
}

OrderedJson to_declaration(const Mixture& model) {
  OrderedJson branches = OrderedJson::array();
  for (const Mixture::Branch& branch : model.branches) {
    branches.push_back({{"group", branch.group},
                        {"expert", to_declaration(branch.expert)},
                        {"importance", to_declaration(branch.importance)}});
  }
  return {{"baseline", to_declaration(model.baseline)},
          {"gate", to_declaration(model.gate)},
          {"branches", branches}};
}

bool declares_mixture(const Json& json) {
  return json.is_object() && json.contains("branches");
}

Sequential sequential_of(const Json& json, const std::string& place) {
  Fields fields(json, place);
  Sequential model = layers_of(fields, place, false);
  model.input = fields.shape("input_shape", 3, kMostUnits);
  fields.finish();
  require(place, [&] { summarize(model); });
  return model;
}

Mixture mixture_of(const Json& json, const std::string& place) {
  Fields fields(json, place);
  Mixture model{sequential_of(fields.value("baseline"), place + ": baseline"),
                sequential_of(fields.value("gate"), place + ": gate"),
                {}};
  for (const Json& branch : fields.list("branches", kMostBranches)) {
    const std::string at = fmt::format("{}: branch {}", place, model.branches.size() + 1);
    Fields branch_fields(branch, at);
    std::string group = branch_fields.name("group");
    model.branches.push_back(
        {std::move(group), sequential_of(branch_fields.value("expert"), at + ": expert"),
         sequential_of(branch_fields.value("importance"), at + ": importance")});
    branch_fields.finish();
  }
  fields.finish();
  require(place, [&] { require_parts_fit(model); });
  return model;
}

}  // namespace sluice

#include "formats/keras/layer_reader.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <set>

#include "base/fail.h"
#include "base/text.h"
#include "formats/keras/config_reader.h"
#include "formats/keras/fixed_setting.h"
#include "formats/keras/keys.h"

namespace sluice {

namespace {

using Json = nlohmann::json;

constexpr std::int64_t kMaxSize = 1 << 24;        ///< of one axis
constexpr std::int64_t kMaxElements = 1LL << 31;  ///< of one picture

std::string python(const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  if (value.is_null()) return "None";
  if (!value.is_array()) return value.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string list;
  for (const Json& member : value) list += (list.empty() ? "" : ", ") + python(member);
  return "(" + list + ")";
}

/// As Python writes it, or nearly: what stands in a file may be long and is a stranger's.
std::string shown(const Json& value) {
  return one_line(python(value), 60);
}

}  // namespace

Shape read_input_shape(const Json& batch_shape, const std::string& place) {
  Shape shape;
  std::int64_t elements = 1;
  bool valid = batch_shape.is_array() && batch_shape.size() > 1 && batch_shape.size() <= 4;
  for (std::size_t i = 1; valid && i < batch_shape.size(); ++i) {
    valid = batch_shape[i].is_number_unsigned() &&
            batch_shape[i].get<std::uint64_t>() <= std::uint64_t{kMaxSize} &&
            batch_shape[i].get<std::int64_t>() > 0;
    if (valid) shape.push_back(batch_shape[i].get<std::int64_t>());
    valid = valid && (elements *= shape.back()) <= kMaxElements;
  }
  if (!valid) {
    throw user_error(
        "keras",
        "{}: its input has the shape {}: Sluice needs all sizes but the batch's: build "
        "it for one size, such as (32, 32, 3), and save it again",
        place, shown(batch_shape));
  }
  return shape;
}

LayerReader::LayerReader(const Json& object, const std::string& place, bool keras_2)
    : place_(place), keras_2_(keras_2) {
  class_name_ = text_in(object, "class_name");
  if (class_name_.empty() || !object.contains("config") || !object["config"].is_object()) {
    throw user_error("keras", "{}: a layer has no class_name and config", place);
  }
  config_ = &object["config"];
  name_ = text_in(*config_, "name");
}

void LayerReader::refuse(std::string_view why) const {
  throw user_error("keras", "{}: layer '{}' {}", place_,
                   one_line(name_.empty() ? keras_snake_case(class_name_) : name_), why);
}

const Json& LayerReader::get(const char* key) const {
  static const Json null;
  auto found = config_->find(key);
  // The name that Keras 2 gives LeakyReLU's slope.
  if (found == config_->end() && std::string_view(key) == "negative_slope") {
    found = config_->find("alpha");
  }
  return found == config_->end() ? null : *found;
}

std::string LayerReader::data_type() const {
  // A name, or a policy with one: {"config": {"name": "float16"}}, or of a quantized one "mode".
  const Json& value = get("dtype");
  std::string type = text_in(*config_, "dtype");
  if (value.is_object() && value.contains("config")) {
    type = text_in(value["config"], "name");
    if (type.empty()) type = text_in(value["config"], "mode");
  }
  for (const char* quantized : {"int", "float8", "gptq", "awq"}) {
    if (type.starts_with(quantized)) {
      refuse(
          fmt::format("is quantized ({}): Sluice computes in float32: save the model as it was "
                      "before quantize()",
                      one_line(type)));
    }
  }
  return type.empty() ? "float32" : one_line(type, 60);
}

const Json& LayerReader::batch_shape() const {
  return get(config_->contains("batch_shape") ? "batch_shape" : "batch_input_shape");
}

void LayerReader::require(const char* key, const Json& value) const {
  const auto found = config_->find(key);
  if (found == config_->end() || *found == value) return;
  refuse(fmt::format("has {} {}; Sluice computes {}", key, shown(*found), shown(value)));
}

int LayerReader::positive(const char* key) const {
  const Json& value = get(key);
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() == 0 ||
      value.get<std::uint64_t>() > std::uint64_t{kMaxSize}) {
    refuse(fmt::format("has {} {}, which is no size", key, shown(value)));
  }
  return value.get<int>();
}

double LayerReader::number(const char* key, double otherwise) const {
  const Json& value = get(key);
  if (value.is_null()) return otherwise;
  if (!value.is_number()) refuse(fmt::format("has {} {}, which is no number", key, shown(value)));
  return value.get<double>();
}

Size2D LayerReader::size(const char* key) const {
  const Json& value = get(key);
  if (!value.is_array()) return {positive(key)};
  constexpr std::uint64_t kMost = 1 << 16;
  bool valid = value.size() == 2;
  for (const Json& size : value) {
    valid = valid && size.is_number_unsigned() && size.get<std::uint64_t>() > 0 &&
            size.get<std::uint64_t>() <= kMost;
  }
  if (!valid) refuse(fmt::format("has {} {}, which is no size of two axes", key, shown(value)));
  return {value[0].get<int>(), value[1].get<int>()};
}

std::vector<double> LayerReader::numbers(const char* key, std::size_t count) const {
  const Json* value = &get(key);
  while (value->is_array() && value->size() == 1 && value->front().is_array()) {
    value = &value->front();  // Keras broadcasts them over the other axes
  }
  std::vector<double> numbers;
  if (value->is_number()) return std::vector<double>(count, value->get<double>());
  if (value->is_null() && is_adapted()) return std::vector<double>(count, 1);  // read later
  bool valid = value->is_array() && (value->size() == count || value->size() == 1);
  for (std::size_t i = 0; valid && i < value->size(); ++i) {
    valid = (*value)[i].is_number();
    if (valid) numbers.push_back((*value)[i].get<double>());
  }
  if (valid && numbers.size() == 1) numbers.resize(count, numbers[0]);
  if (!valid) {
    refuse(fmt::format("has {} {}; Sluice computes one number for each of {} channels", key,
                       shown(*value), count));
  }
  return numbers;
}

bool LayerReader::flag(const char* key, bool otherwise) const {
  const Json& value = get(key);
  if (value.is_null()) return otherwise;
  if (!value.is_boolean()) refuse(fmt::format("has {} {}, which is no bool", key, shown(value)));
  return value.get<bool>();
}

Padding LayerReader::padding(const char* key) const {
  const Json& value = get(key);
  if (value.is_null() || value == "valid") return Padding::valid;
  if (value == "same") return Padding::same;
  refuse(fmt::format("has {} {}; Sluice computes valid and same", key, shown(value)));
}

std::array<int, 4> LayerReader::margins(const char* key) const {
  const Json& value = get(key);
  const auto pair = [](const Json& one) { return one.is_array() ? one : Json::array({one, one}); };
  Json all = Json::array();
  if (value.is_null()) {
    all = {1, 1, 1, 1};
  } else if (value.is_array()) {
    for (const Json& axis : value) {
      for (const Json& margin : pair(axis)) all.push_back(margin);
    }
  } else {
    all = {value, value, value, value};
  }
  std::array<int, 4> margins{};
  bool valid = all.size() == margins.size();
  for (std::size_t i = 0; valid && i < margins.size(); ++i) {
    valid = all[i].is_number_unsigned() && all[i] <= kMostMargin;
    if (valid) margins[i] = all[i].get<int>();
  }
  if (!valid) refuse(fmt::format("has {} {}, which are no margins", key, shown(value)));
  return margins;
}

void LayerReader::require_last_axis(const char* key, std::size_t axes) const {
  const Json* value = &get(key);
  if (value->is_array() && value->size() == 1) value = &value->front();
  const bool none = value->is_array() && value->empty();  // Normalization: one number for all
  if (none || value->is_null() || *value == -1 || *value == axes) return;
  refuse(fmt::format("has {} {}; Sluice computes the last", key, shown(get(key))));
}

Activation LayerReader::activation() const {
  const Json* value = &get("activation");
  // A function is a text, or an object around it; none at all is linear.
  if (value->is_object() && value->contains("config")) value = &(*value)["config"];
  if (value->is_null()) return Activation::linear;
  const auto found = value->is_string() ? activation_of(value->get<std::string>()) : std::nullopt;
  if (found == Activation::hard_sigmoid && keras_2_) {
    refuse("has activation hard_sigmoid of Keras 2, which is another function than Keras 3's");
  }
  if (found) return *found;
  refuse(fmt::format("has activation {}; Sluice computes {}", shown(*value), activation_words()));
}

Shape LayerReader::target_shape(const char* key, const Shape& input) const {
  const Json& value = get(key);
  Shape target;
  std::int64_t known = 1;
  int open = -1;
  bool valid = value.is_array() && !value.empty() && value.size() <= 4;
  for (std::size_t i = 0; valid && i < value.size(); ++i) {
    valid = value[i].is_number_integer() && value[i] <= kMaxSize && value[i] >= -1 && value[i] != 0;
    target.push_back(valid ? value[i].get<std::int64_t>() : 0);
    if (target.back() < 0) {
      valid = valid && open < 0;
      open = static_cast<int>(i);
    } else {
      known *= target.back();
    }
    valid = valid && known <= kMaxElements;
  }
  if (valid && open >= 0) {
    valid = element_count(input) % known == 0;
    target[open] = element_count(input) / known;
  }
  if (!valid || element_count(target) != element_count(input)) {
    refuse(fmt::format("has {} {}, which {} cannot become", key, shown(value), to_string(input)));
  }
  return target;
}

std::optional<Activation> LayerReader::lone_activation() const {
  if (class_name_ == "Activation") return activation();
  if (class_name_ == "Softmax") {
    if (get("axis") != Json::array({-1})) require("axis", -1);
    return Activation::softmax;
  }
  if (class_name_ != "ReLU") return std::nullopt;
  if (number("negative_slope", 0) != 0) require("negative_slope", 0.0);
  if (number("threshold", 0) != 0) require("threshold", 0.0);
  const Json& most = get("max_value");
  if (most.is_null()) return Activation::relu;
  if (most == 6) return Activation::relu6;
  refuse(fmt::format("has max_value {}; Sluice computes None or 6", shown(most)));
}

bool LayerReader::does_nothing_at_inference(const Shape& input) const {
  if (class_name_ == "Resizing" || class_name_ == "CenterCrop") {  // to its own size
    return input.size() == 3 && positive("height") == input[0] && positive("width") == input[1];
  }
  static const std::set<std::string> names{"ActivityRegularization",
                                           "AlphaDropout",
                                           "AutoContrast",
                                           "CutMix",
                                           "Equalization",
                                           "GaussianDropout",
                                           "GaussianNoise",
                                           "Identity",
                                           "MixUp",
                                           "RandAugment",
                                           "RandomBrightness",
                                           "RandomColorDegeneration",
                                           "RandomColorJitter",
                                           "RandomContrast",
                                           "RandomElasticTransform",
                                           "RandomErasing",
                                           "RandomFlip",
                                           "RandomGaussianBlur",
                                           "RandomGrayscale",
                                           "RandomHeight",
                                           "RandomHue",
                                           "RandomInvert",
                                           "RandomPerspective",
                                           "RandomPosterization",
                                           "RandomRotation",
                                           "RandomSaturation",
                                           "RandomSharpness",
                                           "RandomShear",
                                           "RandomTranslation",
                                           "RandomWidth",
                                           "RandomZoom",
                                           "SpatialDropout2D"};
  return names.contains(class_name_);
}

/// Gives a layer the settings that its configuration has.
class LayerReader::Settings {
 public:
  Settings(const LayerReader& reader, const Shape& input) : reader_(reader), input_(input) {}

  void count(const char* key, int& value, std::int64_t) { value = reader_.positive(key); }
  void size(const char* key, Size2D& value, std::int64_t) { value = reader_.size(key); }
  void size(const char* key, Size2D& value, std::int64_t, const Size2D& otherwise) {
    value = reader_.get(key).is_null() ? otherwise : reader_.size(key);
  }
  void number(const char* key, double& value, double otherwise) {
    value = reader_.number(key, otherwise);
  }
  void numbers(const char* key, std::vector<double>& values) {
    values = reader_.numbers(key, static_cast<std::size_t>(input_.back()));
  }
  void flag(const char* key, bool& value, bool otherwise) { value = reader_.flag(key, otherwise); }
  void padding(const char* key, Padding& value, Padding) { value = reader_.padding(key); }
  void margins(const char* key, int& top, int& bottom, int& left, int& right) {
    const std::array<int, 4> all = reader_.margins(key);
    top = all[0], bottom = all[1], left = all[2], right = all[3];
  }
  void last_axis(const char* key) { reader_.require_last_axis(key, input_.size()); }
  void rate(const char* key, float& value) {
    const double rate = reader_.number(key, -1);
    if (!(rate >= 0 && rate < 1)) {
      reader_.refuse(fmt::format("has {} {}; Sluice computes 0 up to but not 1", key,
                                 shown(reader_.get(key))));
    }
    value = static_cast<float>(rate);
  }
  void activation(const char*, Activation& value) { value = reader_.activation(); }
  void shape(const char* key, Shape& value) { value = reader_.target_shape(key, input_); }
  void initializer(const char*, Initializer&) {}
  // Of mixtures alone.
  void indices(const char*, std::vector<int>&) {}
  void networks(const char*, std::vector<Sequential>&) {}
  void fixed(const char* key, const FixedSetting& value, Missing missing) {
    const bool is_null = reader_.get(key).is_null();
    if (!is_null || missing != Missing::or_null) reader_.require(key, to_json<Json>(value));
  }

 private:
  const LayerReader& reader_;
  const Shape& input_;
};

Layer LayerReader::layer(const Shape& input) const {
  std::optional<Layer> layer = make_layer(class_name_);
  if (class_name_ == "Lambda") refuse("is a Lambda, whose code Sluice does not run: use layers");
  if (!layer) {
    refuse(fmt::format("is a {}; Sluice computes {}", one_line(class_name_),
                       fmt::join(layer_class_names(), ", ")));
  }
  if (is_mixture(*layer)) refuse("is a mixture, which Keras has no layer for: it cannot be read");
  Settings settings(*this, input);
  visit_settings(*layer, settings);
  return *layer;
}

bool LayerReader::is_adapted() const {
  return class_name_ == "Normalization" && get("mean").is_null();
}

}  // namespace sluice

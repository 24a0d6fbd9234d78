#include "formats/keras/mixture_formula.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <variant>

#include "base/fail.h"
#include "base/random.h"
#include "base/text.h"
#include "formats/keras/array.h"
#include "formats/keras/config_reader.h"
#include "formats/keras/connections.h"
#include "formats/keras/layer_reader.h"
#include "sluice/mixture.h"

namespace sluice {

namespace {

using Json = nlohmann::json;
using Binary = double (*)(double, double);
using Unary = double (*)(double);

constexpr std::int64_t kRows = 8;  ///< images at a time

struct Images {};
struct Unchecked {};  ///< what comes from a Lambda
using Known = std::variant<Images, Unchecked, Array>;

/// Random outputs of a part for some images. The gate's chooses group (first + image) mod groups.
class PartOutputs {
 public:
  PartOutputs(const MixtureFormula& formula, std::uint32_t pass) : formula_(formula), pass_(pass) {}

  Array of(const std::string& part, ArrayOps& ops) const {
    const auto groups = static_cast<std::int64_t>(formula_.groups.size());
    Shape shape{kRows, part == names::kGate ? groups : formula_.classes};
    if (part.starts_with(names::importance(""))) shape.push_back(2);
    Array array = ops.zeros(shape);
    std::uint64_t stream = 0;
    for (const char c : part) stream = stream * 31 % 1'000'003 + static_cast<unsigned char>(c);
    const RandomStream random(1, Purpose::drawing, stream, pass_);
    for (std::size_t i = 0; i < array.values.size(); ++i) {
      const auto index = static_cast<std::uint32_t>(i);
      array.values[i] = 0.1 + 0.9 * RandomStream::unit(random.bits(index)[0]);
    }
    if (part == names::kGate) choose(array);
    return array;
  }

  std::size_t chosen(std::int64_t row) const {
    return static_cast<std::size_t>(pass_ * kRows + row) % formula_.groups.size();
  }

 private:
  /// Makes the chosen group's output the largest, and the sum 1.
  void choose(Array& gate) const {
    const std::size_t groups = formula_.groups.size();
    for (std::int64_t row = 0; row < kRows; ++row) {
      const std::span values =
          std::span(gate.values).subspan(static_cast<std::size_t>(row) * groups, groups);
      std::swap(*std::ranges::max_element(values), values[chosen(row)]);
      double sum = 0;
      for (const double value : values) sum += value;
      for (double& value : values) value /= sum;
    }
  }

  const MixtureFormula& formula_;
  std::uint32_t pass_;
};

/// Computes the layers and operations of a file, one after the other.
class FileFormula {
 public:
  FileFormula(const MixtureFormula& formula, const std::string& place, std::uint32_t pass)
      : formula_(formula), place_(place), outputs_(formula, pass), ops_(formula.most_values) {}

  Known result() {
    Known last = Images{};
    for (const ConnectedLayer& connected : connected_layers(formula_.config, place_)) {
      const std::string name = name_of_config(*connected.object);
      layer_ = &connected;
      try {
        last = value_of(connected);
      } catch (const Error& error) {
        throw user_error("keras", "{}: layer '{}', behind the mixture's parts: {}", place_,
                         one_line(name), untagged(error));
      }
      values_[name] = last;
    }
    return last;
  }

  const std::vector<std::string>& lambdas() const { return lambdas_; }

 private:
  Known value_of(const ConnectedLayer& connected) {
    const Json& object = *connected.object;
    const std::string type = text_in(object, "class_name");
    if (type == "InputLayer") return Images{};
    const std::vector<std::string> sources = connected.call.sources();
    const auto is = [&]<class Kind>(Kind) {
      return std::ranges::any_of(sources, [&](const std::string& source) {
        return std::holds_alternative<Kind>(values_.at(source));
      });
    };
    if (is_model_config(object)) {
      const auto part = formula_.parts.find(name_of_config(object));
      if (part == formula_.parts.end()) throw unknown("it is a model, and no part of a mixture");
      if (!is(Images{})) throw unknown("it takes other values, not the images");
      return outputs_.of(part->second, ops_);
    }
    if (is(Images{})) {
      if (keeps_images(object)) return Images{};
      throw unknown("it changes the images, and Sluice gives a mixture's parts the same");
    }
    if (type == "Lambda") lambdas_.push_back(name_of_config(object));
    if (type == "Lambda" || is(Unchecked{})) return Unchecked{};
    const std::string name = operation_of(object);
    return name.empty() ? layer(type) : operation(name);
  }

  /// Whether the images stay as Sluice's parts take them.
  bool keeps_images(const Json& object) const {
    const LayerReader reader(object, place_, false);
    if (reader.class_name() == "Rescaling") {
      return std::fabs(setting("scale").is_number() ? setting("scale").get<double>() * 255 - 1
                                                    : 1) < 1e-6 &&
             setting("offset") == 0;
    }
    return reader.class_name() == "Dropout" || reader.does_nothing_at_inference({0, 0, 0});
  }

  static Error unknown(std::string_view why) { return user_error("keras", "{}", why); }

  /// By name in the call, else in the configuration; null if it is in neither.
  const Json& setting(const char* key) const {
    static const Json null;
    if (layer_->call.named.contains(key)) return layer_->call.named[key];
    const Json& config = (*layer_->object)["config"];
    return config.is_object() && config.contains(key) ? config[key] : null;
  }

  std::int64_t whole(const Json& value) const {
    constexpr std::int64_t kMost = 1'000'000;
    if (!value.is_number_integer() || value < -kMost || value > kMost) {
      throw unknown("a setting of it is no whole number");
    }
    return value.get<std::int64_t>();
  }

  double number(const char* key, double otherwise) const {
    const Json& value = setting(key);
    return value.is_number() ? value.get<double>() : otherwise;
  }

  std::vector<std::int64_t> list(const Json& value) const {
    std::vector<std::int64_t> numbers;
    if (value.is_number()) return {whole(value)};
    if (!value.is_array()) throw unknown("a setting of it is no list of whole numbers");
    for (const Json& each : value) numbers.push_back(whole(each));
    return numbers;
  }

  /// A tensor or a number.
  Array array(const Json& argument) {
    if (argument.is_object() && argument.contains("tensor") && argument["tensor"].is_string()) {
      return std::get<Array>(values_.at(argument["tensor"].get<std::string>()));
    }
    if (!argument.is_number() && !argument.is_boolean()) {
      throw unknown("Sluice cannot check what it takes");
    }
    Array one = ops_.zeros({});
    one.values[0] = argument.is_boolean() ? argument.get<bool>() : argument.get<double>();
    return one;
  }

  Array first() { return array(layer_->call.argument(0, {"x", "input", "condition"})); }

  /// The tensors that a layer, or an operation on a list, takes.
  std::vector<const Array*> all() const {
    std::vector<const Array*> arrays;
    for (const std::string& source : layer_->call.sources()) {
      arrays.push_back(&std::get<Array>(values_.at(source)));
    }
    return arrays;
  }

  static Binary binary(const std::string& name) {
    static const std::map<std::string, Binary> known{
        {"add", [](double a, double b) { return a + b; }},
        {"subtract", [](double a, double b) { return a - b; }},
        {"multiply", [](double a, double b) { return a * b; }},
        {"true_divide", [](double a, double b) { return a / b; }},
        {"maximum", [](double a, double b) { return std::max(a, b); }},
        {"minimum", [](double a, double b) { return std::min(a, b); }},
        {"greater", [](double a, double b) { return double(a > b); }},
        {"greater_equal", [](double a, double b) { return double(a >= b); }},
        {"less", [](double a, double b) { return double(a < b); }},
        {"less_equal", [](double a, double b) { return double(a <= b); }},
        {"equal", [](double a, double b) { return double(a == b); }},
        {"not_equal", [](double a, double b) { return double(a != b); }},
        {"logical_and", [](double a, double b) { return double(a != 0 && b != 0); }},
        {"logical_or", [](double a, double b) { return double(a != 0 || b != 0); }}};
    const auto found = known.find(name);
    return found == known.end() ? nullptr : found->second;
  }

  static Unary unary(const std::string& name) {
    static const std::map<std::string, Unary> known{
        {"negative", [](double a) { return -a; }},
        {"logical_not", [](double a) { return double(a == 0); }},
        {"relu", [](double a) { return std::max(a, 0.0); }},
        {"sign", [](double a) { return double((a > 0) - (a < 0)); }},
        {"identity", [](double a) { return a; }},
        {"stop_gradient", [](double a) { return a; }}};
    const auto found = known.find(name);
    return found == known.end() ? nullptr : found->second;
  }

  Array operation(const std::string& name) {
    const KerasCall& call = layer_->call;
    if (const Binary f = binary(name)) {
      return ops_.map(array(call.argument(0, {"x", "x1"})), array(call.argument(1, {"y", "x2"})),
                      f);
    }
    if (const Unary f = unary(name)) return ops_.map(first(), f);
    const auto axis = [&] {
      const Json& named = setting("axis");
      return whole(named.is_null() ? call.argument(1, {}) : named);
    };
    if (name == "where") {
      return ops_.where(first(), array(call.argument(1, {"x", "x1"})),
                        array(call.argument(2, {"y", "x2"})));
    }
    if (name == "get_item") return get_item(first(), call.argument(1, {"key", "slice_spec"}));
    if (name == "cast") return cast(first());
    if (name == "argmax") return drop(ops_.argmax(first(), axis()), axis());
    if (name == "sum") return drop(ops_.reduce(first(), axis(), binary("add")), axis());
    if (name == "max") return drop(ops_.reduce(first(), axis(), binary("maximum")), axis());
    if (name == "expand_dims") return ops_.expand_dims(first(), axis());
    if (name == "squeeze") return drop(first(), axis());
    if (name == "concatenate") {
      return ops_.concatenate(all(), setting("axis").is_null() ? -1 : axis());
    }
    if (name == "stack") return stack(setting("axis").is_null() ? 0 : axis());
    if (name == "one_hot") return one_hot(first());
    if (name == "reshape") {
      const Json& shape =
          setting("newshape").is_null() ? call.argument(1, {"shape"}) : setting("newshape");
      return ops_.reshape(first(), list(shape));
    }
    throw unknown(fmt::format(
        "Sluice cannot check whether its operation {} belongs to the lab's mixture: save the "
        "parts one by one, and import them together",
        one_line(name)));
  }

  Array layer(const std::string& type) {
    std::string name = type;
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    const std::vector<const Array*> given = all();
    if (given.empty()) throw unknown("it takes nothing");
    const Array& one = *given[0];
    const Binary f = binary(name);
    if (f != nullptr || type == "Average") {
      Array result = one;
      for (std::size_t i = 1; i < given.size(); ++i) {
        result = ops_.map(result, *given[i], f != nullptr ? f : binary("add"));
      }
      const auto count = static_cast<double>(given.size());
      return f != nullptr ? result : ops_.map(result, [&](double a) { return a / count; });
    }
    if (type == "Concatenate") return ops_.concatenate(given, whole(setting("axis")));
    if (type == "Rescaling") {
      const double scale = number("scale", 1);
      const double offset = number("offset", 0);
      return ops_.map(one, [&](double a) { return a * scale + offset; });
    }
    if (type == "ReLU" && number("negative_slope", 0) == 0 && number("threshold", 0) == 0) {
      const double most = number("max_value", std::numeric_limits<double>::infinity());
      return ops_.map(one, [&](double a) { return std::clamp(a, 0.0, std::max(most, 0.0)); });
    }
    if (type == "Activation" && setting("activation") == "linear") return one;
    if (type == "Dropout") return one;
    return shaped(type, one);
  }

  /// Layers that only arrange values; their settings leave out the axis of images.
  Array shaped(const std::string& type, const Array& one) {
    if (type == "Flatten") return ops_.reshape(one, {kRows, -1});
    if (type == "Reshape") {
      Shape shape = list(setting("target_shape"));
      shape.insert(shape.begin(), kRows);
      return ops_.reshape(one, shape);
    }
    if (type == "Permute") {
      std::vector<std::size_t> axes{0};
      for (const std::int64_t axis : list(setting("dims"))) {
        axes.push_back(static_cast<std::size_t>(axis));
      }
      return ops_.transpose(one, axes);
    }
    if (type == "Cropping1D") {
      const std::vector<std::int64_t> cropping = list(setting("cropping"));
      const std::int64_t size = one.rank() == 3 ? one.shape[1] : 0;
      if (cropping.size() != 2) throw unknown("it crops other axes");
      return ops_.take(one, 1, places(cropping[0], size - cropping[1], 1, size));
    }
    if (type == "RepeatVector") {
      const std::int64_t count = whole(setting("n"));
      if (count < 1) throw unknown("it repeats nothing");
      return ops_.map(ops_.expand_dims(one, 1), ops_.zeros({1, count, 1}), binary("add"));
    }
    throw unknown(fmt::format(
        "Sluice cannot check whether a {} belongs to the lab's mixture: save the parts one by one, "
        "and import them together",
        one_line(type)));
  }

  /// Drops an axis of size 1, but where the operation keeps it.
  Array drop(const Array& array, std::int64_t axis) {
    if (setting("keepdims") == true) return array;
    Shape shape = array.shape;
    const std::size_t at = axis_of(axis, shape.size());
    if (shape[at] != 1) throw unknown("it drops an axis of other sizes than 1");
    shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(at));
    return ops_.reshape(array, shape);
  }

  Array stack(std::int64_t axis) {
    std::vector<Array> rows;
    for (const Array* each : all()) rows.push_back(ops_.expand_dims(*each, axis));
    std::vector<const Array*> pointers;
    for (const Array& row : rows) pointers.push_back(&row);
    return ops_.concatenate(pointers, axis);
  }

  Array one_hot(const Array& places) {
    const Json& named = setting("num_classes");
    const Json& depth = setting("depth");
    const std::int64_t count = whole(!named.is_null()   ? named
                                     : !depth.is_null() ? depth
                                                        : layer_->call.argument(1, {}));
    if (count < 1) throw unknown("it has no classes");
    Array counting = ops_.zeros({count});
    for (std::size_t i = 0; i < counting.values.size(); ++i) {
      counting.values[i] = static_cast<double>(i);
    }
    return ops_.map(ops_.expand_dims(places, -1), counting, binary("equal"));
  }

  Array cast(const Array& array) {
    const Json& named = setting("dtype");
    const Json& type = named.is_null() ? layer_->call.argument(1, {}) : named;
    const std::string word = type.is_string() ? type.get<std::string>() : "";
    if (word == "bool") return ops_.map(array, [](double a) { return double(a != 0); });
    if (word.find("int") != std::string::npos) {
      return ops_.map(array, [](double a) { return std::trunc(a); });
    }
    return array;
  }

  /// Places begin, begin + step, ... before end.
  static std::vector<std::int64_t> places(std::int64_t begin, std::int64_t end, std::int64_t step,
                                          std::int64_t size) {
    std::vector<std::int64_t> places;
    begin = std::clamp<std::int64_t>(begin, 0, size);
    for (std::int64_t i = begin; i < std::min(end, size); i += step) places.push_back(i);
    if (places.empty()) throw unknown("it takes nothing");
    return places;
  }

  /// array[key], where key has slices, whole numbers, None and Ellipsis.
  Array get_item(Array array, const Json& key) {
    const Json keys = key.is_array() ? key : Json::array({key});
    std::size_t axis = 0;
    for (std::size_t k = 0; k < keys.size(); ++k) {
      const Json& each = keys[k];
      if (each.is_null()) {
        array = ops_.expand_dims(array, static_cast<std::int64_t>(axis++));
      } else if (text_in(each, "class_name") == "__ellipsis__") {
        const auto more = [](const Json& other) { return !other.is_null(); };
        const auto after = static_cast<std::size_t>(
            std::count_if(keys.begin() + static_cast<std::ptrdiff_t>(k) + 1, keys.end(), more));
        if (array.rank() < axis + after) throw unknown("it takes axes that are not there");
        axis = array.rank() - after;
      } else if (each.is_number_integer()) {
        const std::int64_t size =
            array.shape[axis_of(static_cast<std::int64_t>(axis), array.rank())];
        const auto place =
            static_cast<std::int64_t>(axis_of(whole(each), static_cast<std::size_t>(size)));
        array = ops_.take(array, static_cast<std::int64_t>(axis), {place});
        Shape shape = array.shape;
        shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
        array = ops_.reshape(array, shape);
      } else {
        array = slice(array, axis++,
                      each.is_object() && each.contains("config") ? each["config"] : each);
      }
    }
    return array;
  }

  Array slice(const Array& array, std::size_t axis, const Json& slice) {
    if (!slice.is_object()) throw unknown("Sluice cannot check what it takes");
    const std::int64_t size = array.shape[axis_of(static_cast<std::int64_t>(axis), array.rank())];
    const auto bound = [&](const char* key, std::int64_t otherwise) {
      if (!slice.contains(key) || slice[key].is_null()) return otherwise;
      const std::int64_t value = whole(slice[key]);
      return value < 0 ? value + size : value;
    };
    const std::int64_t step =
        slice.contains("step") && !slice["step"].is_null() ? whole(slice["step"]) : 1;
    if (step < 1) throw unknown("it counts backwards");
    return ops_.take(array, static_cast<std::int64_t>(axis),
                     places(bound("start", 0), bound("stop", size), step, size));
  }

  const MixtureFormula& formula_;
  const std::string& place_;
  PartOutputs outputs_;
  ArrayOps ops_;
  const ConnectedLayer* layer_ = nullptr;  ///< the one that is computed
  std::map<std::string, Known> values_;
  std::vector<std::string> lambdas_;
};

/// Whether values are those of the lab's formula, if group g is the gate's output
/// `group_of(output)`.
template <class Output>
bool is_labs(const Array& found, const MixtureFormula& formula, std::uint32_t pass,
             const Output& group_of) {
  const PartOutputs outputs(formula, pass);
  ArrayOps ops(std::numeric_limits<std::size_t>::max());
  const auto classes = static_cast<std::size_t>(formula.classes);
  if (found.shape != Shape{kRows, formula.classes}) return false;
  const Array baseline = outputs.of(names::kBaseline, ops);
  for (std::int64_t row = 0; row < kRows; ++row) {
    const std::string& group = formula.groups[group_of(outputs.chosen(row))];
    const Array expert = outputs.of(names::expert(group), ops);
    const Array importance = outputs.of(names::importance(group), ops);
    for (std::size_t c = 0; c < classes; ++c) {
      const std::size_t i = static_cast<std::size_t>(row) * classes + c;
      const double wanted = baseline.values[i] * importance.values[2 * i] +
                            expert.values[i] * importance.values[2 * i + 1];
      if (!(std::fabs(found.values[i] - wanted) < 1e-6)) return false;
    }
  }
  return true;
}

}  // namespace

std::vector<std::string> require_labs_formula(const MixtureFormula& formula,
                                              const std::string& place) {
  const std::size_t groups = formula.groups.size();
  const auto passes = static_cast<std::uint32_t>((groups + kRows - 1) / kRows);
  for (std::uint32_t pass = 0; pass < passes; ++pass) {
    FileFormula evaluation(formula, place, pass);
    const Known result = evaluation.result();
    if (std::holds_alternative<Unchecked>(result)) return evaluation.lambdas();
    const Array* found = std::get_if<Array>(&result);
    if (found != nullptr && is_labs(*found, formula, pass, [](std::size_t g) { return g; })) {
      continue;
    }
    const bool other_order = found != nullptr && groups == 2 &&
                             is_labs(*found, formula, pass, [](std::size_t g) { return 1 - g; });
    throw user_error(
        "keras",
        "{}: what joins its parts is not the lab's formula, and Sluice computes no other: for the "
        "group g of the gate's largest output, baseline * importance-g[:, :, 0] + expert-g * "
        "importance-g[:, :, 1]{}",
        place,
        other_order ? fmt::format("; it would be if the gate's first output were {}: then declare "
                                  "the groups in that order by --experiment",
                                  formula.groups[1])
                    : "");
  }
  return {};
}

}  // namespace sluice

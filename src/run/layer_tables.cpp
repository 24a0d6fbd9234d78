#include "run/layer_tables.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <set>

#include "base/text.h"
#include "formats/model/declaration.h"
#include "formats/text/toml_document.h"
#include "graph/initializer.h"
#include "graph/layer_types.h"

namespace sluice {

namespace {

// Keras's defaults, where those of the structs are the lab's.
void set_keras_defaults(Conv2D& layer) {
  layer.activation = Activation::linear;
  layer.padding = Padding::valid;
}
void set_keras_defaults(DepthwiseConv2D& layer) {
  layer.padding = Padding::valid;
}
void set_keras_defaults(CondConv2D& layer) {
  layer.padding = Padding::valid;
}
void set_keras_defaults(auto&) {}

constexpr const char* kExpert = "expert";  ///< the table of an expert's layers, and their name

Sequential read_layers(const toml::array& list, const RefuseLine& refuse, bool of_expert);
std::string text_of(const Layer& layer, const Sequential& model);

/// Gives a layer the settings that its table has.
class TableReader {
 public:
  TableReader(const toml::table& table, const RefuseLine& refuse)
      : table_(table), refuse_(refuse) {}

  [[noreturn]] void refuse(const std::string& text) const { refuse_at(table_, text); }

  std::string text(const char* key) {
    const toml::node& node = required(key);
    const auto text = node.value_exact<std::string>();
    if (!text) refuse_value(key, node, "must be a text in quotes");
    return *text;
  }
  bool has(const char* key) const { return table_.contains(key); }

  std::vector<std::string> names(const char* key) {
    const toml::node* node = get(key);
    std::vector<std::string> names;
    for (const toml::node& each : list_of(key, *node)) {
      const auto name = each.value_exact<std::string>();
      if (!name) refuse_value(key, *node, "must be names of layers in quotes");
      names.push_back(*name);
    }
    return names;
  }

  void count(const char* key, int& value, std::int64_t most) {
    value = whole(key, required(key), 1, most);
  }
  void size(const char* key, Size2D& value, std::int64_t most) { size(key, value, most, value); }
  void size(const char* key, Size2D& value, std::int64_t most, const Size2D& otherwise) {
    value = otherwise;
    const toml::node* node = get(key);
    if (node == nullptr) return;
    const toml::array* list = node->as_array();
    if (list == nullptr) {
      value = {whole(key, *node, 1, most)};
    } else if (list->size() == 2) {
      value = {whole(key, *list->get(0), 1, most), whole(key, *list->get(1), 1, most)};
    } else {
      refuse_value(key, *node, "must be one size, or [height, width]");
    }
  }
  void rate(const char* key, float& value) {
    const toml::node& node = required(key);
    const double rate = real(key, node);
    if (!(rate >= 0 && static_cast<float>(rate) < 1)) {
      refuse_value(key, node, "must be at least 0 and below 1");
    }
    value = static_cast<float>(rate);
  }
  void number(const char* key, double& value, double otherwise) {
    const toml::node* node = get(key);
    value = node == nullptr ? otherwise : real(key, *node);
  }
  void numbers(const char* key, std::vector<double>& values) {
    values.clear();
    for (const toml::node& each : list_of(key, required(key))) values.push_back(real(key, each));
  }
  void flag(const char* key, bool& value, bool) {
    const toml::node* node = get(key);
    if (node == nullptr) return;
    const auto flag = node->value_exact<bool>();
    if (!flag) refuse_value(key, *node, "must be true or false");
    value = *flag;
  }
  void padding(const char* key, Padding& value, Padding) {
    const toml::node* node = get(key);
    if (node == nullptr) return;
    const auto word = node->value_exact<std::string>();
    for (const Padding each : {Padding::valid, Padding::same}) {
      if (word == word_of(each)) {
        value = each;
        return;
      }
    }
    refuse_value(key, *node, "must be \"valid\" or \"same\"");
  }
  void margins(const char* key, int& top, int& bottom, int& left, int& right) {
    const toml::node* node = get(key);
    if (node == nullptr) return;
    if (node->is_integer()) {
      top = bottom = left = right = whole(key, *node, 0, kMostMargin);
      return;
    }
    const toml::array& list = list_of(key, *node);
    if (list.size() != 4)
      refuse_value(key, *node, "must be one number, or [top, bottom, left, right]");
    const std::array<int*, 4> all{&top, &bottom, &left, &right};
    for (std::size_t i = 0; i < all.size(); ++i) {
      *all[i] = whole(key, *list.get(i), 0, kMostMargin);
    }
  }
  void activation(const char* key, Activation& value) {
    word(key, value, activation_of, activation_words);
  }
  void shape(const char* key, Shape& value) {
    value.clear();
    for (const toml::node& each : list_of(key, required(key))) {
      value.push_back(whole(key, each, 1, kMostUnits));
    }
  }
  void indices(const char* key, std::vector<int>& values) {
    values.clear();
    const toml::node* node = get(key);
    if (node == nullptr) return;
    for (const toml::node& each : list_of(key, *node)) {
      values.push_back(whole(key, each, 0, kMostUnits));
    }
  }
  /// Copies of one network, whose layers [[model.layers.expert]] lists.
  void networks(const char* key, std::vector<Sequential>& values) {
    const int count = whole(key, required(key), 1, kMostExperts);
    if (!has(kExpert)) refuse("list the layers of an expert as [[model.layers.expert]]");
    Sequential expert = read_layers(list_of(kExpert, required(kExpert)), refuse_, true);
    values.clear();
    for (int i = 1; i <= count; ++i) {
      expert.name = fmt::format("{}{}", kExpert, i);
      values.push_back(expert);
    }
  }
  void initializer(const char* key, Initializer& value) {
    word(key, value, initializer_of, initializer_words);
  }
  void last_axis(const char*) {}
  void fixed(const char*, const FixedSetting&, Missing) {}

  /// Refuses keys that no function asked for.
  void finish() const {
    for (const auto& [key, node] : table_) {
      const std::string name(key.str());
      if (known_.contains(name)) continue;
      refuse_at(key, fmt::format("{} is not a key of this layer: {}", one_line(name),
                                 suggestion(name, {known_.begin(), known_.end()}, "it has")));
    }
  }

 private:
  template <class Value>
  void word(const char* key, Value& value, std::optional<Value> (*value_of)(std::string_view),
            std::string (*words)()) {
    const toml::node* node = get(key);
    if (node == nullptr) return;
    const auto word = node->value_exact<std::string>();
    const auto found = word ? value_of(*word) : std::nullopt;
    if (!found) refuse_value(key, *node, "must be one of " + words());
    value = *found;
  }

  const toml::node* get(const char* key) {
    known_.insert(key);
    return table_.get(key);
  }

  const toml::node& required(const char* key) {
    const toml::node* node = get(key);
    if (node == nullptr) refuse(fmt::format("a layer has no {}: add one", key));
    return *node;
  }

  const toml::array& list_of(const char* key, const toml::node& node) const {
    const toml::array* list = node.as_array();
    if (list == nullptr || list->empty()) refuse_value(key, node, "must be a list");
    return *list;
  }

  int whole(const char* key, const toml::node& node, std::int64_t least, std::int64_t most) const {
    const auto number = node.value_exact<std::int64_t>();
    if (!number || *number < least || *number > most) {
      refuse_value(key, node, fmt::format("must be a whole number from {} to {}", least, most));
    }
    return static_cast<int>(*number);
  }

  double real(const char* key, const toml::node& node) const {
    const auto number = node.value<double>();
    if (!number || !std::isfinite(*number)) refuse_value(key, node, "must be a number");
    return *number;
  }

  [[noreturn]] void refuse_value(const char* key, const toml::node& node,
                                 const std::string& mend) const {
    refuse_at(node, fmt::format("{} = {}: {}", key, node_text(node), mend));
  }
  template <class Part>
  [[noreturn]] void refuse_at(const Part& part, const std::string& text) const {
    refuse_(static_cast<int>(part.source().begin.line), text);
    std::abort();  // it throws
  }

  const toml::table& table_;
  const RefuseLine& refuse_;
  std::set<std::string> known_;
};

/// Writes a layer's settings as lines of TOML.
struct TableWriter {
  std::string text;
  std::string tables{};  ///< that follow

  void line(const char* key, const std::string& value) {
    text += fmt::format("{} = {}\n", key, value);
  }
  void count(const char* key, int value, std::int64_t) { line(key, fmt::to_string(value)); }
  void size(const char* key, const Size2D& value, std::int64_t, const Size2D& = 1) {
    line(key, fmt::format("[{}, {}]", value.height, value.width));
  }
  void rate(const char* key, float value) { line(key, fmt::to_string(value)); }
  void number(const char* key, double value, double) { line(key, fmt::to_string(value)); }
  void numbers(const char* key, const std::vector<double>& values) {
    line(key, fmt::format("[{}]", fmt::join(values, ", ")));
  }
  void flag(const char* key, bool value, bool) { line(key, fmt::to_string(value)); }
  void padding(const char* key, Padding value, Padding) {
    line(key, fmt::format("\"{}\"", word_of(value)));
  }
  void margins(const char* key, int top, int bottom, int left, int right) {
    line(key, fmt::format("[{}, {}, {}, {}]", top, bottom, left, right));
  }
  void activation(const char* key, Activation value) {
    line(key, fmt::format("\"{}\"", word_of(value)));
  }
  void shape(const char* key, const Shape& value) {
    line(key, fmt::format("[{}]", fmt::join(value, ", ")));
  }
  void indices(const char* key, const std::vector<int>& values) {
    if (!values.empty()) line(key, fmt::format("[{}]", fmt::join(values, ", ")));
  }
  void networks(const char* key, const std::vector<Sequential>& values) {
    line(key, fmt::to_string(values.size()));
    for (const Layer& layer : values.front().layers) {
      tables += fmt::format("\n[[model.layers.{}]]\n{}", kExpert, text_of(layer, values.front()));
    }
  }
  void initializer(const char* key, Initializer value) {
    if (value != Initializer::glorot_uniform) line(key, fmt::format("\"{}\"", word_of(value)));
  }
  void last_axis(const char*) {}
  void fixed(const char*, const FixedSetting&, Missing) {}
};

void read_layer(const toml::table& table, const RefuseLine& refuse, bool of_expert,
                Sequential& model) {
  TableReader reader(table, refuse);
  const std::string type = reader.text("class_name");
  std::optional<Layer> layer = make_layer(type);
  if (!layer) {
    reader.refuse(fmt::format("class_name = \"{}\": {}", one_line(type),
                              suggestion(type, layer_class_names(), "must be one of")));
  }
  if (of_expert && is_mixture(*layer)) {
    reader.refuse("an expert cannot have a mixture: put such a layer behind this one");
  }
  const std::string name =
      reader.has("name") ? reader.text("name") : fmt::format("layer{}", model.layers.size() + 1);
  if (!is_name(name)) reader.refuse("name must be a name without '/', of 128 bytes at most");
  if (reader.has("inputs")) model.inputs[name] = reader.names("inputs");
  std::visit(
      [&](auto& each) {
        set_keras_defaults(each);
        each.name = name;
      },
      *layer);
  visit_settings(*layer, reader);
  reader.finish();
  model.layers.push_back(std::move(*layer));
}

std::string text_of(const Layer& layer, const Sequential& model) {
  const std::string& name = name_of(layer);
  std::string text = fmt::format("class_name = \"{}\"\nname = {}\n", class_name_of(layer),
                                 nlohmann::json(name).dump());
  if (const auto inputs = model.inputs.find(name); inputs != model.inputs.end()) {
    text += fmt::format("inputs = {}\n", nlohmann::json(inputs->second).dump());
  }
  TableWriter writer;
  visit_settings(layer, writer);
  return text + writer.text + writer.tables;
}

Sequential read_layers(const toml::array& list, const RefuseLine& refuse, bool of_expert) {
  constexpr std::size_t kMostLayers = 1000;
  Sequential model;
  for (const toml::node& node : list) {
    const int line = static_cast<int>(node.source().begin.line);
    const toml::table* table = node.as_table();
    if (table == nullptr) refuse(line, "must be a list: start each layer with [[model.layers]]");
    if (model.layers.size() == kMostLayers) refuse(line, "more than a thousand layers");
    read_layer(*table, refuse, of_expert, model);
  }
  return model;
}

}  // namespace

Sequential read_layer_tables(const toml::array& list, const RefuseLine& refuse) {
  return read_layers(list, refuse, false);
}

std::string layer_tables_text(const Sequential& model) {
  std::string text;
  for (const Layer& layer : model.layers) text += "\n[[model.layers]]\n" + text_of(layer, model);
  return text;
}

std::vector<std::string> layer_lines(const Sequential& model) {
  std::vector<std::string> lines;
  for (const Layer& layer : model.layers) {
    lines.push_back(text_of(layer, model));
    lines.back().pop_back();
    std::ranges::replace(lines.back(), '\n', ' ');
  }
  return lines;
}

}  // namespace sluice

#include <algorithm>
#include <set>

#include "base/fail.h"
#include "base/text.h"
#include "formats/text/toml_document.h"
#include "graph/layer_types.h"
#include "run/experiment_checks.h"
#include "run/experiment_keys.h"
#include "run/key_values.h"
#include "run/layer_tables.h"
#include "sluice/lab/run_folder.h"

namespace sluice {
namespace {

template <class Part>
int line_of(const Part& part) {
  return static_cast<int>(part.source().begin.line);
}

/// Returns the entries in the order of the file, so that the first mistake is reported. toml++
/// sorts a table by its keys.
std::vector<std::pair<const toml::key*, const toml::node*>> in_file_order(
    const toml::table& table) {
  std::vector<std::pair<const toml::key*, const toml::node*>> entries;
  for (const auto& [key, node] : table) entries.emplace_back(&key, &node);
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return a.first->source().begin < b.first->source().begin;
  });
  return entries;
}

class ExperimentReader {
 public:
  explicit ExperimentReader(Settings& settings) : settings_(settings), keys_(keys_of(settings)) {
    for (const Key& key : keys_) {
      if (!key.table().empty()) tables_.insert(key.table());
    }
  }

  void read_document(const std::string& place, const toml::table& document) {
    file_ = place;
    read_table("", document);
  }

  void read_override(const Override& one) {
    override_ = &one;
    read(one.key, one.value(), 0);
    override_ = nullptr;
  }

  /// Whether the file or an override has the key.
  bool has(const std::string& path) const { return given_.count(path) > 0; }
  /// Throws where the listed layers do not fit together, or to images of that shape.
  void check_layers(const Shape& input) {
    NetworkChoice& network = settings_.experiment.lab.network;
    if (network.layers.layers.empty()) {
      if (network.name != "layers") return;
      throw user_error("experiment", "{}: model.network = \"layers\": add [[model.layers]]", file_);
    }
    if (has("model.network") && network.name != "layers") {
      throw user_error("experiment",
                       "{}: there are [[model.layers]], and model.network is \"{}\": leave one out",
                       place(layer_lines_.front()), network.name);
    }
    network.name = "layers";
    try {
      sluice::network("network", input, 2, network);
    } catch (const Error& error) {
      const std::string text(untagged(error));
      int line = text.starts_with("network: output: ") ? layer_lines_.back() : layer_lines_.front();
      for (std::size_t i = 0; i < layer_lines_.size(); ++i) {
        const std::string& name = name_of(network.layers.layers[i]);
        if (text.starts_with("network: " + name + ": ")) line = layer_lines_[i];
        if (text.ends_with("result of '" + name + "': leave it out, or use it")) {
          line = layer_lines_[i];
        }
      }
      throw user_error("experiment", "{}: model.layers: {}", place(line),
                       text.substr(text.find(": ") + 2));
    }
  }

  /// Place of the groups' declaration; empty if there is none.
  const std::string& groups_place() const { return groups_place_; }

 private:
  void read_table(const std::string& path, const toml::table& table) {
    for (const auto& [key, node] : in_file_order(table)) {
      const std::string name(key->str());
      read(path.empty() ? name : path + "." + name, *node, line_of(*key));
    }
  }

  void read(const std::string& path, const toml::node& node, int line) {
    if (path == "groups") return read_groups(node, line);
    if (path == "model.layers") return read_layers(node, line);
    if (path == "train.before") return read_before(node, line);
    if (tables_.count(path) > 0) {
      if (const toml::table* table = node.as_table()) return read_table(path, *table);
      // A single number of epochs applies to all stages, a single flag to all controls.
      if (path != "train.epochs" && path != "controls") {
        refuse_value(path, node, line, "is a table: write [" + path + "] and its keys below it");
      }
    }
    bool known = false;
    for (const Key& key : keys_) {
      if (key.path != path && key.table() != path) continue;
      known = true;
      given_.insert(key.path);
      const std::string mend = store(node, key);
      if (!mend.empty()) refuse_value(path, node, line, mend);
    }
    if (!known) refuse_key(path, line);
  }

  void read_layers(const toml::node& node, int line) {
    const toml::array* list = node.as_array();
    if (list == nullptr || list->empty()) {
      refuse_value("model.layers", node, line,
                   "must be a list: start each layer with [[model.layers]], in double brackets");
    }
    NetworkChoice& network = settings_.experiment.lab.network;
    network.layers = read_layer_tables(*list, [&](int at, const std::string& text) {
      throw user_error("experiment", "{}: model.layers: {}", place(at), text);
    });
    for (const toml::node& element : *list) layer_lines_.push_back(line_of(element));
  }

  void read_groups(const toml::node& node, int line) {
    const toml::array* list = node.as_array();
    const bool is_auto = node.value<std::string>() == "auto";
    if (list == nullptr && !is_auto) {
      refuse_value("groups", node, line,
                   "must be \"auto\", or a list: start each group with [[groups]], in double "
                   "brackets");
    }
    settings_.experiment.groups.clear();
    settings_.experiment.finds_groups = is_auto;
    if (is_auto) return;
    groups_place_ = place(line) + ": groups";
    for (const toml::node& element : *list) {
      if (override_ == nullptr) line = line_of(element);
      const toml::table* table = element.as_table();
      if (table == nullptr) {
        refuse_value("groups", element, line, "must be a table with a name and classes");
      }
      settings_.experiment.groups.push_back(read_group(*table, line));
    }
  }

  void read_before(const toml::node& node, int line) {
    const toml::array* list = node.as_array();
    if (list == nullptr) {
      refuse_value("train.before", node, line,
                   "must be a list: start each stage with [[train.before]], in double brackets");
    }
    std::vector<EarlierStage>& before = settings_.experiment.lab.before;
    before.clear();
    for (const toml::node& element : *list) {
      if (override_ == nullptr) line = line_of(element);
      const toml::table* table = element.as_table();
      if (table == nullptr) {
        refuse_value("train.before", element, line, "must be a table with a name and epochs");
      }
      before.push_back(read_stage(*table, line));
    }
  }

  EarlierStage read_stage(const toml::table& table, int line) const {
    EarlierStage stage;
    const std::vector<Key> keys = keys_of(stage);
    for (const auto& [name, node] : in_file_order(table)) {
      const std::string path = "train.before." + std::string(name->str());
      const int at = line_of(*name);
      const auto key = std::ranges::find(keys, path, &Key::path);
      if (key == keys.end()) refuse_key(path, at);
      const std::string mend = store(*node, *key);
      if (!mend.empty()) refuse_value(path, *node, at, mend);
    }
    for (const char* needed : {"name", "epochs"}) {
      if (table.contains(needed)) continue;
      throw user_error("experiment", "{}: a stage of train.before has no {}: add {} = {}",
                       place(line), needed, needed,
                       std::string_view(needed) == "name" ? "\"...\"" : "...");
    }
    return stage;
  }

  Groups::Group read_group(const toml::table& table, int line) const {
    Groups::Group group;
    for (const auto& [key, value] : in_file_order(table)) {
      const toml::node& node = *value;
      const std::string path = "groups." + std::string(key->str());
      const int at = line_of(*key);
      if (path == "groups.name") {
        const std::string mend = store(node, {path, Key::Name{&group.name}});
        if (!mend.empty()) refuse_value(path, node, at, mend);
      } else if (path == "groups.classes" || path == "groups.also") {
        const toml::array* list = node.as_array();
        if (list == nullptr) refuse_value(path, node, at, "must be a list of class names");
        for (const toml::node& element : *list) {
          const auto name = element.value_exact<std::string>();
          if (!name) refuse_value(path, element, at, "must be class names in quotes");
          (path == "groups.also" ? group.also : group.classes).push_back(*name);
        }
      } else {
        refuse_key(path, at);
      }
    }
    if (group.name.empty()) {
      throw user_error("experiment", "{}: a group has no name: add name = \"...\"", place(line));
    }
    return group;
  }

  std::string place(int line) const {
    if (override_ != nullptr) return "--set " + one_line(override_->text);
    return fmt::format("{}:{}", file_, line);
  }

  [[noreturn]] void refuse_value(const std::string& path, const toml::node& node, int line,
                                 const std::string& mend) const {
    // The text "--set key=value" already shows the value.
    if (override_ != nullptr && override_->key == path) {
      throw user_error("experiment", "{}: {}", place(line), mend);
    }
    throw user_error("experiment", "{}: {} = {}: {}", place(line), path, node_text(node), mend);
  }

  [[noreturn]] void refuse_key(const std::string& path, int line) const {
    std::vector<std::string> known{"groups", "groups.name", "groups.classes", "groups.also"};
    known.insert(known.end(), tables_.begin(), tables_.end());
    std::vector<std::string> last_parts;  // for a key without its table
    for (const Key& key : keys_) known.push_back(key.path);
    EarlierStage stage;
    for (const Key& key : keys_of(stage)) known.push_back(key.path);
    for (const std::string& each : known) last_parts.push_back(each.substr(each.rfind('.') + 1));

    std::string meant = closest(path, known);
    if (meant.empty()) {
      const std::string last = closest(path.substr(path.rfind('.') + 1), last_parts);
      const auto found = std::find(last_parts.begin(), last_parts.end(), last);
      if (found != last_parts.end()) meant = known[found - last_parts.begin()];
    }
    throw user_error("experiment", "{}: {} is not a key: {}", place(line), one_line(path),
                     meant.empty() ? "see experiments/lab.toml for all there are"
                                   : "did you mean " + meant + "?");
  }

  Settings& settings_;
  std::vector<Key> keys_;
  std::set<std::string> tables_;
  std::set<std::string> given_;  ///< paths of keys
  std::string file_;
  const Override* override_ = nullptr;
  std::string groups_place_;
  std::vector<int> layer_lines_;
};

/// Sets keys that are not given to the defaults of the optimizer and schedule that are: those of
/// Keras's AdamW and SGD, and of PyTorch's OneCycleLR.
void set_defaults(OptimizerOptions& optimizer, const ExperimentReader& reader) {
  const auto set = [&](const char* path, double& value, double wanted) {
    if (!reader.has(path)) value = wanted;
  };
  if (optimizer.name == "adamw") set("train.weight_decay", optimizer.weight_decay, 0.004);
  if (optimizer.name == "sgd") set("train.learning_rate", optimizer.learning_rate, 0.01);
  Schedule& schedule = optimizer.schedule;
  if (schedule.name == "one_cycle") {
    set("train.schedule.warmup", schedule.warmup, 0.3);
    set("train.schedule.start_factor", schedule.start_factor, 1 / 25.0);
    set("train.schedule.end_factor", schedule.end_factor, 1 / 25.0 / 1e4);
  }
}

/// Turns the file's name into a valid name of a folder.
std::string default_name(const std::filesystem::path& file) {
  std::string name = file.stem().string().substr(0, 64);
  for (char& c : name) {
    if (!is_plain_name(std::string_view(&c, 1))) c = '-';
  }
  return name;
}

}  // namespace

DataOptions read_data_options(const std::vector<std::string>& overrides) {
  Settings settings;
  ExperimentReader reader(settings);
  for (const std::string& text : overrides) reader.read_override(parse_override(text));
  return to_experiment(std::move(settings)).data;
}

Experiment read_experiment(const std::filesystem::path& file,
                           const std::vector<std::string>& overrides) {
  const std::string place = path_text(file);
  Settings settings;
  settings.experiment.name = default_name(file);
  ExperimentReader reader(settings);
  reader.read_document(place, read_toml(file));
  for (const std::string& text : overrides) reader.read_override(parse_override(text));
  check_settings(settings, place, reader.groups_place());
  reader.check_layers(settings.experiment.data.shape());
  set_defaults(settings.experiment.lab.optimizer, reader);
  check_optimizer(settings.experiment.lab, place);
  Experiment experiment = to_experiment(std::move(settings));
  experiment.file = file.string();
  return experiment;
}

}  // namespace sluice

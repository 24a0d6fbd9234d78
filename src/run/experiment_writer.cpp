#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "run/experiment_keys.h"
#include "run/layer_tables.h"
#include "sluice/lab/run_folder.h"
#include "sluice/text.h"

namespace sluice {
namespace {

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\u{:04X}", c);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string list_text(const std::vector<std::string>& words) {
  std::vector<std::string> quoted;
  for (const std::string& word : words) quoted.push_back(quote(word));
  return fmt::format("[{}]", fmt::join(quoted, ", "));
}

/// Formats values. fmt writes the fewest digits that give the same number when read.
struct ValueText {
  std::string operator()(const Key::Name& key) const { return quote(*key.value); }
  std::string operator()(const Key::Choice& key) const { return quote(*key.value); }
  std::string operator()(const Key::Count& key) const { return fmt::to_string(*key.value); }
  std::string operator()(const Key::Size& key) const {
    return *key.height == *key.width ? fmt::to_string(*key.height)
                                     : fmt::format("[{}, {}]", *key.height, *key.width);
  }
  std::string operator()(const Key::Channels& key) const { return fmt::to_string(*key.value); }
  std::string operator()(const Key::Flag& key) const { return fmt::to_string(*key.value); }
  std::string operator()(const Key::Seed& key) const { return fmt::to_string(*key.value); }
  std::string operator()(const Key::Real& key) const { return fmt::to_string(*key.value); }
  std::string operator()(const Key::Reals& key) const {
    return fmt::format("[{}]", fmt::join(*key.values, ", "));
  }
  std::string operator()(const Key::Place& key) const { return quote(*key.value); }
  std::string operator()(const Key::Words& key) const { return list_text(*key.values); }
  std::string operator()(const Key::Weights& key) const {
    if (key.value->balanced) return quote("balanced");
    if (key.value->of.empty()) return quote("none");
    std::vector<std::string> entries;
    for (const auto& [name, weight] : key.value->of) {
      entries.push_back(fmt::format("{} = {}", quote(name), weight));
    }
    return fmt::format("{{{}}}", fmt::join(entries, ", "));
  }
};

/// A key with its list of classes, in lines of 80 columns.
std::string classes_lines(const std::string& name_of_key, const std::vector<std::string>& classes) {
  constexpr std::size_t kColumns = 80;
  const std::string key = name_of_key + " = [";
  std::string text = key;
  std::size_t width = key.size();
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const std::string name = quote(classes[i]) + (i + 1 < classes.size() ? "," : "]");
    const std::size_t wanted = display_width(name);
    if (i > 0 && width + 1 + wanted > kColumns) {
      text += "\n" + std::string(key.size(), ' ');
      width = key.size();
    } else if (i > 0) {
      text += " ";
      ++width;
    }
    text += name;
    width += wanted;
  }
  return text + "\n";
}

std::string text_of(const Key& key) {
  return fmt::format("{} = {}", key.name(), std::visit(ValueText{}, key.what));
}

std::string before_toml(std::vector<EarlierStage> stages) {
  std::string text;
  for (EarlierStage& stage : stages) {
    text += "\n[[train.before]]\n";
    for (const Key& key : keys_of(stage)) text += text_of(key) + "\n";
  }
  return text;
}

/// A line of settings_text().
struct Setting {
  std::string_view key;
  std::string_view value;
};

std::vector<Setting> split(std::string_view text) {
  std::vector<Setting> settings;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t sign = line.find(" = ");
    settings.push_back({line.substr(0, sign), line.substr(std::min(line.size(), sign + 3))});
  }
  return settings;
}

/// Returns a key's value, or its default: the text of another version lacks keys.
std::string_view value_of(std::string_view key, const std::vector<Setting>& settings,
                          const std::vector<Setting>& defaults) {
  for (const auto* each : {&settings, &defaults}) {
    const auto found = std::ranges::find(*each, key, &Setting::key);
    if (found != each->end()) return found->value;
  }
  return "missing";
}

}  // namespace

std::string groups_toml(const std::vector<Groups::Group>& groups) {
  std::string text;
  for (const Groups::Group& group : groups) {
    text += fmt::format("\n[[groups]]\nname = {}\n", quote(group.name)) +
            classes_lines("classes", group.classes);
    if (!group.also.empty()) text += classes_lines("also", group.also);
  }
  return text;
}

std::string to_toml(const Experiment& experiment) {
  Settings settings = to_settings(experiment);
  std::string text;
  std::string table;
  for (const Key& key : keys_of(settings)) {
    if (key.table() != table) {
      if (table.empty() && experiment.finds_groups) text += "groups = \"auto\"\n";
      if (table == "data" && !experiment.finds_groups) text += groups_toml(experiment.groups);
      if (table == "model") text += layer_tables_text(experiment.lab.network.layers);
      if (table == "train") text += before_toml(experiment.lab.before);
      table = key.table();
      text += fmt::format("\n[{}]\n", table);
    }
    if (key.path == "name" && experiment.name.empty()) continue;  // the file's name applies
    text += text_of(key) + "\n";
  }
  return text;
}

std::string settings_text(const Experiment& experiment) {
  Settings settings = to_settings(experiment);
  std::string text;
  for (const Key& key : keys_of(settings)) {
    if (key.path == "name") continue;
    text += fmt::format("{} = {}\n", key.path, std::visit(ValueText{}, key.what));
  }
  const std::vector<std::string> layers = layer_lines(experiment.lab.network.layers);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    text += fmt::format("model.layers[{}] = {}\n", i, layers[i]);
  }
  for (std::size_t i = 0; i < settings.experiment.lab.before.size(); ++i) {
    std::vector<std::string> values;
    for (const Key& key : keys_of(settings.experiment.lab.before[i]))
      values.push_back(text_of(key));
    text += fmt::format("train.before[{}] = {}\n", i, fmt::join(values, ", "));
  }
  if (experiment.finds_groups) return text + "groups = \"auto\"\n";
  for (std::size_t i = 0; i < experiment.groups.size(); ++i) {
    const Groups::Group& group = experiment.groups[i];
    text += fmt::format("groups[{}] = {} {}", i, quote(group.name), list_text(group.classes));
    text += group.also.empty() ? "\n" : " also " + list_text(group.also) + "\n";
  }
  return text;
}

std::string difference(std::string_view before, std::string_view now) {
  const std::string default_text = settings_text({});
  const std::vector<Setting> defaults = split(default_text);
  const std::vector<Setting> was = split(before);
  const std::vector<Setting> is = split(now);
  for (const auto* settings : {&is, &was}) {
    for (const Setting& each : *settings) {
      const std::string_view old = value_of(each.key, was, defaults);
      const std::string_view given = value_of(each.key, is, defaults);
      if (old != given) return fmt::format("{} was {}, and is {}", each.key, old, given);
    }
  }
  return {};
}

std::string difference(const Experiment& before, const Experiment& now) {
  return difference(settings_text(before), settings_text(now));
}

}  // namespace sluice

#include <fmt/format.h>

#include <algorithm>

#include "run/experiment_keys.h"
#include "sluice/lab/run_folder.h"

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
};

std::string classes_text(const Groups::Group& group) {
  std::string text = "[";
  for (std::size_t i = 0; i < group.classes.size(); ++i) {
    text += (i == 0 ? "" : ", ") + quote(group.classes[i]);
  }
  return text + "]";
}

std::string groups_text(const std::vector<Groups::Group>& groups) {
  std::string text;
  for (const Groups::Group& group : groups) {
    text += fmt::format("\n[[groups]]\nname = {}\nclasses = {}\n", quote(group.name),
                        classes_text(group));
  }
  return text;
}

/// Returns the next line, and removes it from the text.
std::string_view next_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

}  // namespace

std::string to_toml(const Experiment& experiment) {
  Settings settings = to_settings(experiment);
  std::string text;
  std::string table;
  for (const Key& key : keys_of(settings)) {
    if (key.table() != table) {
      if (table == "data") text += groups_text(experiment.groups);
      table = key.table();
      text += fmt::format("\n[{}]\n", table);
    }
    if (key.path == "name" && experiment.name.empty()) continue;  // the file's name applies
    text += fmt::format("{} = {}\n", key.name(), std::visit(ValueText{}, key.what));
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
  for (std::size_t i = 0; i < experiment.groups.size(); ++i) {
    const Groups::Group& group = experiment.groups[i];
    text += fmt::format("groups[{}] = {} {}\n", i, quote(group.name), classes_text(group));
  }
  return text;
}

std::string difference(std::string_view before, std::string_view now) {
  while (!before.empty() || !now.empty()) {
    const std::string_view was = next_line(before);
    const std::string_view is = next_line(now);
    if (was == is) continue;
    const auto key_of = [](std::string_view line) { return line.substr(0, line.find(" = ")); };
    const auto value_of = [](std::string_view line) {
      return line.empty() ? "missing" : line.substr(line.find(" = ") + 3);
    };
    return fmt::format("{} was {}, and is {}", key_of(was.empty() ? is : was), value_of(was),
                       value_of(is));
  }
  return {};
}

std::string difference(const Experiment& before, const Experiment& now) {
  return difference(settings_text(before), settings_text(now));
}

}  // namespace sluice

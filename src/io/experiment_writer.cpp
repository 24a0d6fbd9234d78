#include <fmt/format.h>

#include "io/experiment_keys.h"
#include "sluice/run_folder.h"

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

/// fmt writes the fewest digits that give the same number back.
struct ValueText {
  std::string operator()(const Key::Name& key) const { return quote(*key.value); }
  std::string operator()(const Key::Choice& key) const { return quote(*key.value); }
  std::string operator()(const Key::Count& key) const { return fmt::to_string(*key.value); }
  std::string operator()(const Key::Flag& key) const { return fmt::to_string(*key.value); }
  std::string operator()(const Key::Seed& key) const { return fmt::to_string(*key.value); }
  std::string operator()(const Key::Real& key) const { return fmt::to_string(*key.value); }
};

std::string groups_text(const std::vector<Groups::Group>& groups) {
  std::string text;
  for (const Groups::Group& group : groups) {
    text += fmt::format("\n[[groups]]\nname = {}\nclasses = [", quote(group.name));
    for (std::size_t i = 0; i < group.classes.size(); ++i) {
      text += (i == 0 ? "" : ", ") + quote(group.classes[i]);
    }
    text += "]\n";
  }
  return text;
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
    if (key.path == "name" && experiment.name.empty()) continue;  // the file's name will do
    text += fmt::format("{} = {}\n", key.name(), std::visit(ValueText{}, key.what));
  }
  return text;
}

std::string difference(const Experiment& before, const Experiment& now) {
  Settings settings = to_settings(before);
  Settings others = to_settings(now);
  const std::vector<Key> keys = keys_of(settings);
  const std::vector<Key> other_keys = keys_of(others);
  const auto compare = [](const std::string& key, const std::string& was, const std::string& is) {
    return was == is || key == "name" ? "" : fmt::format("{} was {}, and is {}", key, was, is);
  };
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::string found = compare(keys[i].path, std::visit(ValueText{}, keys[i].what),
                                      std::visit(ValueText{}, other_keys[i].what));
    if (!found.empty()) return found;
  }
  return groups_text(before.groups) == groups_text(now.groups) ? "" : "its groups are others";
}

}  // namespace sluice

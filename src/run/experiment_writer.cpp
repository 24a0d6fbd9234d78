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

using Lines = std::vector<std::pair<std::string_view, std::string_view>>;  // key and value

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t end = std::min(line.size(), line.find(" = "));
    lines.emplace_back(line.substr(0, end), line.substr(std::min(line.size(), end + 3)));
  }
  return lines;
}

std::string_view value_of(std::string_view key, const Lines& lines, std::string_view otherwise) {
  const auto found = std::ranges::find(lines, key, &Lines::value_type::first);
  return found == lines.end() ? otherwise : found->second;
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
  // A text of an earlier version lacks newer keys, which then had no other value than their
  // default.
  const std::string default_text = settings_text({});
  const Lines defaults = lines_of(default_text);
  const Lines old_lines = lines_of(before);
  const Lines new_lines = lines_of(now);
  for (const Lines& lines : {new_lines, old_lines}) {
    for (const auto& [key, value] : lines) {
      const std::string_view otherwise = value_of(key, defaults, "missing");
      const std::string_view was = value_of(key, old_lines, otherwise);
      const std::string_view is = value_of(key, new_lines, otherwise);
      if (was != is) return fmt::format("{} was {}, and is {}", key, was, is);
    }
  }
  return {};
}

std::string difference(const Experiment& before, const Experiment& now) {
  return difference(settings_text(before), settings_text(now));
}

}  // namespace sluice

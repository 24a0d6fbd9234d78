#pragma once

#include <toml++/toml.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace sluice {

/// Reads and parses an experiment's file. Throws Error (user) in one line with file and line.
toml::table read_toml(const std::filesystem::path& file);

/// One "key=value" of the command line. A value that is no TOML but plain words is a string, so
/// that `--set model.size=large` needs no quotes in quotes.
struct Override {
  std::string text;
  std::string key;
  toml::table holder;  ///< the value, under the key "value"

  const toml::node& value() const { return *holder.get("value"); }
};

Override parse_override(const std::string& text);

/// A value as it might stand in a file, in one line.
std::string node_text(const toml::node& node);

}  // namespace sluice

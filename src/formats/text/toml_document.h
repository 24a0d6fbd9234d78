#pragma once

#include <toml++/toml.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace sluice {

/// Reads and parses an experiment's file. Throws Error (user) with file and line.
toml::table read_toml(const std::filesystem::path& file);

/// A "key=value" of the command line. A value that is not TOML but plain words becomes a string, so
/// that `--set model.size=large` needs no nested quotes.
struct Override {
  std::string text;
  std::string key;
  toml::table holder;  ///< the value, under the key "value"

  const toml::node& value() const { return *holder.get("value"); }
};

Override parse_override(const std::string& text);

/// Formats a value as in a file, on one line.
std::string node_text(const toml::node& node);

}  // namespace sluice

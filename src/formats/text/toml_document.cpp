#include "formats/text/toml_document.h"

#include <algorithm>
#include <sstream>

#include "base/fail.h"
#include "base/file_kind.h"
#include "base/files.h"
#include "base/text.h"

namespace sluice {
namespace {

constexpr std::uint64_t kMaxTomlBytes = 1'000'000;

/// toml++ 3.3 nests tables for a.b.c.d... to any depth and frees them by recursion, so a line with
/// 100,000 dots would overflow the stack.
constexpr int kMaxDots = 100;

void check_depth(std::string_view text, const std::string& place) {
  int line = 1;
  int dots = 0;
  for (const char c : text) {
    if (c == '\n') {
      ++line;
      dots = 0;
    } else if (c == '.' && ++dots > kMaxDots) {
      throw user_error("experiment", "{}:{} has more than {} dots: break the line", place, line,
                       kMaxDots);
    }
  }
}

Error missing_file(const std::filesystem::path& file, const std::string& place) {
  std::error_code ignored;
  for (const char* ending : {"", ".toml"}) {
    std::filesystem::path shipped = "experiments" / file.filename();
    shipped += ending;
    if (std::filesystem::is_regular_file(shipped, ignored)) {
      return user_error("experiment", "{} does not exist: did you mean {}?", place,
                        shipped.string());
    }
  }
  return user_error("experiment", "{} does not exist: is the path right?", place);
}

}  // namespace

toml::table read_toml(const std::filesystem::path& file) {
  const std::string place = path_text(file);
  std::error_code ignored;
  const auto status = std::filesystem::status(file, ignored);
  if (status.type() == std::filesystem::file_type::not_found) throw missing_file(file, place);
  if (std::filesystem::is_directory(status)) {
    throw user_error("experiment", "{} is a folder: give an experiment's TOML file", place);
  }
  const FileKind kind = kind_of_file(file, "experiment");
  using Of = FileKind::Of;
  if (kind.known() && kind.of != Of::experiment && kind.of != Of::text && kind.of != Of::empty) {
    throw wrong_kind("experiment", place, kind, "an experiment's TOML file");
  }
  const std::string text = read_file(file, kMaxTomlBytes);
  check_depth(text, place);
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw user_error("experiment", "{}:{}: not valid TOML: {}", place, error.source().begin.line,
                     one_line(error.description(), 200));
  }
}

Override parse_override(const std::string& text) {
  const std::string shown = one_line(text);
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    throw user_error("experiment",
                     "--set {}: must be a key and a value, like --set train.learning_rate=1e-4",
                     shown);
  }
  const auto trimmed = [](std::string_view part) {
    const std::size_t begin = part.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return std::string();
    return std::string(part.substr(begin, part.find_last_not_of(" \t") + 1 - begin));
  };
  Override result{text, trimmed(text.substr(0, equals)), {}};
  const std::string value = trimmed(text.substr(equals + 1));
  const std::string place = "--set " + shown;
  check_depth(value, place);
  try {
    result.holder = toml::parse("value = " + value);
  } catch (const toml::parse_error& error) {
    if (value.find_first_of("\"'[]{}=,#\r\n") != std::string::npos) {
      throw user_error("experiment", "{}: not a TOML value: {}", place,
                       one_line(error.description(), 200));
    }
    result.holder.insert("value", value);
  }
  if (result.holder.size() != 1) {
    throw user_error("experiment", "{}: has more than one value: use one --set for each", place);
  }
  return result;
}

std::string node_text(const toml::node& node) {
  if (node.is_table()) return "{...}";
  if (node.is_array()) return "[...]";
  if (const auto text = node.value_exact<std::string>()) return '"' + one_line(*text, 60) + '"';
  if (const auto number = node.value_exact<double>()) {
    // The shortest form with a point, which shows that it is not a whole number. "{:#}" would write
    // "32.0" or "32.", depending on fmt's version.
    const std::string text = fmt::format("{}", *number);
    return text.find_first_not_of("-0123456789") == std::string::npos ? text + ".0" : text;
  }
  if (const auto number = node.value_exact<std::int64_t>()) return fmt::format("{}", *number);
  std::ostringstream out;
  node.visit([&](const auto& value) { out << value; });
  return out.str();
}

}  // namespace sluice

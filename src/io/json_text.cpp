#include "io/json_text.h"

#include <algorithm>
#include <stdexcept>

#include "base/fail.h"

namespace sluice {
namespace {

using Json = nlohmann::ordered_json;

std::string plain(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void write(const Json& value, const std::string& indent, std::string& out) {
  const bool is_list = value.is_array();
  const bool has_lists = std::any_of(value.begin(), value.end(),
                                     [](const Json& element) { return element.is_structured(); });
  if (!value.is_structured() || value.empty()) {
    out += plain(value);
    return;
  }
  const bool in_lines = !is_list || has_lists;
  const std::string inner = indent + "  ";
  const char* separator = is_list ? "[" : "{";
  for (auto it = value.begin(); it != value.end(); ++it) {
    out += separator;
    if (in_lines) out += "\n" + inner;
    if (!is_list) out += plain(it.key()) + ": ";
    write(*it, inner, out);
    separator = in_lines ? "," : ", ";
  }
  if (in_lines) out += "\n" + indent;
  out += is_list ? "]" : "}";
}

}  // namespace

std::string json_text(const Json& value) {
  std::string out;
  write(value, "", out);
  return out + "\n";
}

nlohmann::json parse_json(std::string_view text, int depth, const std::string& place) {
  using Event = nlohmann::json::parse_event_t;
  const auto bounded = [depth](int at, Event event, nlohmann::json&) {
    const bool opens = event == Event::object_start || event == Event::array_start;
    if (opens && at >= depth) throw std::length_error("too deep");
    return true;
  };
  try {
    return nlohmann::json::parse(text, bounded);
  } catch (const std::length_error&) {
    throw user_error("json", "{} is nested deeper than {}", place, depth);
  } catch (const nlohmann::json::exception&) {
    throw user_error("json", "{} is no JSON: is the file damaged?", place);
  }
}

}  // namespace sluice

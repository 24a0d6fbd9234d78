#include "formats/text/json_text.h"

#include <algorithm>

#include "base/fail.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

std::string plain(const OrderedJson& value) {
  return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

void write(const OrderedJson& value, const std::string& indent, std::string& out) {
  const bool is_list = value.is_array();
  const bool has_lists = std::any_of(value.begin(), value.end(), [](const OrderedJson& element) {
    return element.is_structured();
  });
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

std::string json_text(const OrderedJson& value) {
  std::string out;
  write(value, "", out);
  return out + "\n";
}

nlohmann::json parse_json(std::string_view text, int max_depth, std::string_view tag,
                          const std::string& place) {
  using Event = nlohmann::json::parse_event_t;
  // nlohmann stops at a zero byte and would ignore the rest.
  if (text.find('\0') != std::string_view::npos) {
    throw user_error(tag, "{} has a zero byte: is it JSON?", place);
  }
  constexpr int kMostValues = 300'000;  // each takes about 100 bytes of memory
  int values = 0;
  const auto bounded = [&](int depth, Event event, nlohmann::json&) {
    if (++values > kMostValues) {
      throw user_error(tag, "{} has more than {} values: is it of a model?", place, kMostValues);
    }
    const bool opens = event == Event::object_start || event == Event::array_start;
    if (opens && depth >= max_depth) {
      throw user_error(tag, "{} is nested deeper than {}: is it of a model?", place, max_depth);
    }
    return true;
  };
  try {
    return nlohmann::json::parse(text, bounded);
  } catch (const nlohmann::json::parse_error& error) {
    throw user_error(tag, "{} is not valid JSON at byte {}", place, error.byte);
  } catch (const nlohmann::json::exception&) {
    throw user_error(tag, "{} has a number that is out of range", place);
  }
}

}  // namespace sluice

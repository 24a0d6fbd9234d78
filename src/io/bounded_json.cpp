#include "io/bounded_json.h"

#include "base/fail.h"

namespace sluice {

nlohmann::json parse_bounded_json(std::string_view text, int max_depth, const std::string& place) {
  using Json = nlohmann::json;
  // nlohmann takes a zero byte for the end and would not look at what follows.
  if (text.find('\0') != std::string_view::npos) {
    throw user_error("keras", "{} has a zero byte: is it JSON?", place);
  }
  const auto bounded = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > max_depth) {
      throw user_error("keras", "{} is nested more than {} deep: is it of a model?", place,
                       max_depth);
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), bounded);
  } catch (const Json::parse_error& error) {
    throw user_error("keras", "{} is not valid JSON at byte {}", place, error.byte);
  } catch (const Json::exception&) {
    throw user_error("keras", "{} has a number that is out of range", place);
  }
}

}  // namespace sluice

#include "formats/keras/keys.h"

#include <fmt/format.h>

namespace sluice {

std::string keras_snake_case(std::string_view class_name) {
  // Not <cctype>: what is a letter may not depend on the user's language.
  const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  std::string plain;
  for (const char c : class_name) {
    if (lower(c) || upper(c) || digit(c) || c == '_') plain += c;
  }
  std::string out;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const bool before_lower = i + 1 < plain.size() && lower(plain[i + 1]);
    if (upper(plain[i]) && i > 0 && (lower(plain[i - 1]) || before_lower)) out += '_';
    out += upper(plain[i]) ? static_cast<char>(plain[i] - 'A' + 'a') : plain[i];
  }
  return out;
}

std::string KerasKeys::next(std::string_view class_name) {
  const std::string name = keras_snake_case(class_name);
  const int count = used_[name]++;
  return count == 0 ? name : fmt::format("{}_{}", name, count);
}

}  // namespace sluice

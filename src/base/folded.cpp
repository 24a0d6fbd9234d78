#include "base/text.h"

namespace sluice {

namespace {

/// The base letters of U+00C0 to U+017F and of U+1E00 to U+1EFF by Unicode's canonical
/// decompositions; '_' for a character that has none.
constexpr std::string_view kLatin =
    "AAAAAA_CEEEEIIII_NOOOOO__UUUUY__aaaaaa_ceeeeiiii_nooooo__uuuuy_yAaAaAaCcCcCcCcDd__EeEeEeEeEeGg"
    "GgGgGgHh__IiIiIiIiI___JjKk_LlLlLl____NnNnNn___OoOoOo__RrRrRrSsSsSsSsTtTt__"
    "UuUuUuUuUuUuWwYyYZzZz"
    "Zz_";
constexpr std::string_view kLatinAdditional =
    "AaBbBbBbCcDdDdDdDdDdEeEeEeEeEeFfGgHhHhHhHhHhIiIiKkKkKkLlLlLlLlMmMmMmNnNnNnNnOoOoOoOoPpPpRrRrRr"
    "RrSsSsSsSsSsTtTtTtTtUuUuUuUuUuVvVvWwWwWwWwWwXxXxYyZzZzZzhtwy______AaAaAaAaAaAaAaAaAaAaAaAaEeEe"
    "EeEeEeEeEeEeIiIiOoOoOoOoOoOoOoOoOoOoOoOoUuUuUuUuUuUuUuYyYyYyYy______";

char32_t code_point(std::string_view sequence) {
  char32_t code = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() > 1) code &= 0x7Fu >> sequence.size();
  for (const char byte : sequence.substr(1)) {
    code = code << 6 | (static_cast<unsigned char>(byte) & 0x3Fu);
  }
  return code;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

void append_jamo(char32_t code, std::string& out) {  // U+1100 to U+11FF
  out += '\xE1';
  out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
  out += static_cast<char>(0x80 | (code & 0x3F));
}

/// Appends the two or three letters of a Hangul syllable: The Unicode Standard, section 3.12.
void append_syllable(char32_t code, std::string& out) {
  const char32_t index = code - 0xAC00;
  append_jamo(0x1100 + index / 588, out);
  append_jamo(0x1161 + index % 588 / 28, out);
  if (index % 28 != 0) append_jamo(0x11A7 + index % 28, out);
}

}  // namespace

std::string folded(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::size_t length = 1;
    while (length < 4 && length < text.size() && !starts_code_point(text[length])) ++length;
    const std::string_view sequence = text.substr(0, length);
    text.remove_prefix(length);
    const char32_t code = code_point(sequence);
    const auto base = [&](std::string_view letters, char32_t first) {
      return code >= first && code - first < letters.size() ? letters[code - first] : '_';
    };
    if (length == 1) {
      out += lower(sequence[0]);
    } else if (code >= 0x300 && code < 0x370) {
      // Skips a combining accent, which belongs to the letter before it.
    } else if (code >= 0xAC00 && code <= 0xD7A3) {
      append_syllable(code, out);
    } else if (const char latin = base(kLatin, 0xC0); latin != '_') {
      out += lower(latin);
    } else if (const char more = base(kLatinAdditional, 0x1E00); more != '_') {
      out += lower(more);
    } else {
      out += sequence;
    }
  }
  return out;
}

}  // namespace sluice

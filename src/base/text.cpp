#include "base/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace sluice {

namespace {

/// Returns the length of the UTF-8 sequence that starts `text`; 0 if it is invalid.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xC2 && first < 0xE0   ? 2
                             : first >= 0xE0 && first < 0xF0 ? 3
                             : first >= 0xF0 && first < 0xF5 ? 4
                                                             : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (starts_code_point(text[i])) return 0;
  }
  // Overlong forms, surrogates and code points beyond Unicode.
  if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) >= 0xA0) ||
      (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) >= 0x90)) {
    return 0;
  }
  return length;
}

bool is_control(std::string_view sequence) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
  switch (sequence.size()) {
    case 1:
      return byte(0) < 0x20 || byte(0) == 0x7F;
    case 2:
      // U+0080 to U+009F: a terminal may take them for escape sequences.
      return byte(0) == 0xC2 && byte(1) < 0xA0;
    case 3:
      // U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069 change the writing direction.
      return byte(0) == 0xE2 && ((byte(1) == 0x80 && ((byte(2) >= 0xAA && byte(2) <= 0xAE) ||
                                                      byte(2) == 0x8E || byte(2) == 0x8F)) ||
                                 (byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9));
    default:
      return false;
  }
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const std::string_view sequence = text.substr(0, length);
    if (length == 0 || is_control(sequence)) {
      out += '?';
    } else {
      out += sequence;
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string one_line(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return printable(text);
  std::size_t end = limit;
  while (end > 0 && !starts_code_point(text[end])) --end;
  return printable(text.substr(0, end)) + "...";
}

std::string path_text(const std::filesystem::path& path) {
  return one_line(path.string(), 4096);
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (const char c : text) width += starts_code_point(c);
  return width;
}

std::string_view head(std::string_view text, std::size_t width) {
  std::size_t end = 0;
  while (end < text.size() && (!starts_code_point(text[end]) || width > 0)) {
    width -= starts_code_point(text[end]);
    ++end;
  }
  return text.substr(0, end);
}

std::string cut(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0) return {};
  return std::string(head(text, width - 1)) + "…";
}

std::string csv_field(const std::string& text) {
  const bool formula =
      !text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string::npos;
  if (!formula && text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = formula ? "\"'" : "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string with_commas(std::int64_t number) {
  std::string digits = fmt::to_string(number);
  const std::size_t first = number < 0 ? 1 : 0;
  for (std::size_t i = digits.size(); i > first + 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string signed_points(double share) {
  if (share == 0) return "0.0";
  std::string text;
  for (int digits = 1; digits < 10; ++digits) {
    text = fmt::format("{:+.{}f}", 100 * share, digits);
    if (text.find_first_of("123456789") != std::string::npos) break;
  }
  return text;
}

std::string points_text(double share) {
  const std::string text = signed_points(std::abs(share));
  return text.substr(text.find_first_not_of('+')) + " points";
}

std::string mega_text(double operations) {
  return fmt::format("{:.{}f}", operations / 1e6, operations < 2e6 ? 2 : 1);
}

std::string p_value_text(double p) {
  if (p < 0.001) return "p < .001";
  int digits = p < 0.0995 ? 3 : 2;
  std::string text = fmt::format("{:.{}f}", p, digits);
  // .0496 is below .05, so its text must be too.
  while (p < 0.05 && text.starts_with("0.05")) text = fmt::format("{:.{}f}", p, ++digits);
  return "p = " + (text[0] == '0' ? text.substr(1) : text);
}

std::string argument_text(const std::filesystem::path& path) {
  const std::string text = path_text(path);
  const auto plain = [](char c) {
    return is_plain_name(std::string_view(&c, 1)) || !starts_code_point(c) || (c & 0x80) != 0 ||
           std::string_view("./+:,@%=").find(c) != std::string_view::npos;
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows of the table: row i holds the distances of a's first i letters to b's first j.
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

std::string closest(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t kLongest = 100;  // longer words are no typing mistakes
  std::string best;
  if (word.size() > kLongest) return best;
  const std::string look = folded(word);
  std::size_t distance = std::max<std::size_t>(1, look.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t d = edit_distance(look, folded(candidate));
    if (d >= distance) continue;
    distance = d;
    best = candidate;
  }
  return best;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates,
                       std::string_view otherwise) {
  const std::string meant = closest(word, candidates);
  return meant.empty() ? fmt::format("{} {}", otherwise, fmt::join(candidates, ", "))
                       : fmt::format("did you mean {}?", meant);
}

bool is_plain_name(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), plain);
}

}  // namespace sluice

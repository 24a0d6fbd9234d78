#include "report/text.h"

#include <fmt/format.h>

#include <cmath>

namespace sluice {

std::string_view tail(std::string_view text, std::size_t width) {
  const std::size_t all = display_width(text);
  if (all > width) text.remove_prefix(head(text, all - width).size());
  return text;
}

std::string left(std::string_view text, std::size_t width) {
  std::string out = cut(text, width);
  out.append(width - display_width(out), ' ');
  return out;
}

std::string right(std::string_view text, std::size_t width) {
  const std::string kept = cut(text, width);
  return std::string(width - display_width(kept), ' ') + kept;
}

std::string wrapped(std::string_view text) {
  std::string out;
  while (display_width(text) > kTextWidth) {
    std::string_view line = head(text, kTextWidth + 1);
    const std::size_t blank = line.rfind(' ');
    const bool breaks = blank != std::string_view::npos && blank > 0;
    line = breaks ? line.substr(0, blank) : head(text, kTextWidth);
    out += std::string(line) + '\n';
    text.remove_prefix(line.size() + (breaks ? 1 : 0));
  }
  return out + std::string(text) + '\n';
}

std::string percent(double share) {
  return fmt::format("{:.1f}%", 100 * share);
}

std::string duration(double seconds) {
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string images(std::int64_t count) {
  return with_commas(count) + (count == 1 ? " image" : " images");
}

std::string boxed_table(const std::vector<Column>& columns,
                        const std::vector<std::vector<std::string>>& rows) {
  const auto line = [&](const char* begin, const char* dash, const char* cross, const char* end) {
    std::string out = begin;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (c > 0) out += cross;
      for (std::size_t i = 0; i < columns[c].width + 2; ++i) out += dash;
    }
    return out + end + "\n";
  };
  const auto cells = [&](const std::vector<std::string>& row, const std::string& bar) {
    std::string out = bar;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const auto [name, width, numbers] = columns[c];
      out += " " + (numbers ? right(row[c], width) : left(row[c], width)) + " " + bar;
    }
    return out + "\n";
  };

  std::vector<std::string> heads;
  for (const Column& column : columns) heads.push_back(column.head);
  std::string out = line("┏", "━", "┳", "┓") + cells(heads, "┃") + line("┡", "━", "╇", "┩");
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (r > 0) out += line("├", "─", "┼", "┤");
    out += cells(rows[r], "│");
  }
  return out + line("└", "─", "┴", "┘");
}

}  // namespace sluice

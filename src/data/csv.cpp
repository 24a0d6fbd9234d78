#include "data/csv.h"

#include <utility>

#include "base/fail.h"

namespace sluice {

namespace {

char separator_of(std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  for (const char each : {',', ';', '\t'}) {
    if (line.find(each) != std::string_view::npos) return each;
  }
  return ',';
}

}  // namespace

CsvTable parse_csv(std::string_view text, const std::string& name) {
  constexpr std::size_t kMostCells = 1'000;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const char separator = separator_of(text);
  CsvTable table;
  CsvTable::Row row{1, {}};
  std::string cell;
  std::size_t line = 1;
  bool quoted = false;  // inside quotes
  const auto end_cell = [&] {
    if (row.cells.size() == kMostCells) {
      throw user_error("data", "{}, line {}: has more than {} cells: is this a table?", name,
                       row.line, kMostCells);
    }
    row.cells.push_back(std::exchange(cell, {}));
  };
  const auto end_row = [&] {
    const bool is_empty = row.cells.empty() && cell.empty();
    if (!is_empty) {
      end_cell();
      table.rows.push_back(std::move(row));
    }
    row = {line, {}};
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\0') {
      throw user_error("data", "{}, line {}: has a byte 0: save it as CSV in UTF-8", name, line);
    }
    if (c == '\n') ++line;
    const bool next_is_quote = i + 1 < text.size() && text[i + 1] == '"';
    if (quoted && c == '"' && next_is_quote) {
      cell += text[++i];
    } else if (c == '"' && (quoted || cell.empty())) {
      quoted = !quoted;
    } else if (quoted || (c != separator && c != '\n' && c != '\r')) {
      cell += c;
    } else if (c == separator) {
      end_cell();
    } else if (c == '\n') {
      end_row();
    }
  }
  if (quoted) {
    throw user_error("data", "{}, line {}: a quote does not end: add it", name, row.line);
  }
  end_row();
  return table;
}

}  // namespace sluice

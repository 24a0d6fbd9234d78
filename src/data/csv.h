#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// A table of texts.
struct CsvTable {
  struct Row {
    std::size_t line;  ///< in the file, from 1
    std::vector<std::string> cells;
  };
  std::vector<Row> rows;
};

/// Parses RFC 4180: cells in quotes may have commas, line breaks and doubled quotes. The separator
/// is the first of comma, semicolon and tab that the first line has. A byte order mark and empty
/// lines are skipped. Throws Error (user) with `name` and the line for a quote that does not end, a
/// byte 0 and a row above 1,000 cells.
CsvTable parse_csv(std::string_view text, const std::string& name);

}  // namespace sluice

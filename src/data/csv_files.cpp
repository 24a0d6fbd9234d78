#include "data/csv_files.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"
#include "data/class_folders.h"
#include "data/csv.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

constexpr int kNone = -1;

struct Columns {
  int file = 0;
  int label = 1;
  int split = kNone;
};

bool is_word(const std::string& cell, const std::vector<std::string>& words) {
  return std::find(words.begin(), words.end(), folded(cell)) != words.end();
}

int column_of(const std::vector<std::string>& cells, const std::vector<std::string>& words) {
  const auto found = std::find_if(cells.begin(), cells.end(),
                                  [&](const std::string& cell) { return is_word(cell, words); });
  return found == cells.end() ? kNone : static_cast<int>(found - cells.begin());
}

/// Returns the columns that a first row names; nothing if it is data.
std::optional<Columns> columns_of(const std::vector<std::string>& cells) {
  const Columns columns{
      column_of(cells, {"file", "filename", "file_name", "filepath", "file_path", "path", "image",
                        "image_path", "image_file", "image_name"}),
      column_of(cells, {"label", "labels", "class", "class_name", "category", "target"}),
      column_of(cells, {"split", "set", "subset", "partition"})};
  if (columns.file == kNone || columns.label == kNone) return {};
  return columns;
}

/// Returns a row's file. Tables of Windows have backslashes.
fs::path file_of(const fs::path& folder, std::string name) {
  std::error_code ignored;
  const fs::path path = (folder / name).lexically_normal();
  if (name.find('\\') == std::string::npos || fs::exists(path, ignored)) return path;
  std::ranges::replace(name, '\\', '/');
  return (folder / name).lexically_normal();
}

bool is_table(const fs::path& path) {
  const std::string ending = folded(path.extension().string());
  return (ending == ".csv" || ending == ".tsv") && !is_folder(path);
}

/// Reads the rows of a table.
class CsvReader {
 public:
  explicit CsvReader(const fs::path& csv) : csv_(csv) {
    constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20;
    table_ = parse_csv(read_file(csv, kMostBytes, "data"), path_text(csv));
    if (table_.rows.empty()) refuse_empty();
    const std::vector<std::string>& first = table_.rows.front().cells;
    if (const std::optional<Columns> named = columns_of(first)) {
      columns_ = *named;
      table_.rows.erase(table_.rows.begin());
      if (table_.rows.empty()) refuse_empty();
    } else if (first.size() > 2) {
      columns_.split = 2;
    }
  }

  const std::vector<CsvTable::Row>& rows() const { return table_.rows; }
  bool has_split() const { return columns_.split != kNone; }

  const std::string& file(const CsvTable::Row& row) const { return cell(row, columns_.file); }
  const std::string& label(const CsvTable::Row& row) const { return cell(row, columns_.label); }
  /// Returns the list of a listing that the row belongs to.
  std::vector<ImageFile> Listing::*half(const CsvTable::Row& row) const {
    if (!has_split()) return &Listing::train;
    const std::string& word = row.cells.size() > static_cast<std::size_t>(columns_.split)
                                  ? row.cells[columns_.split]
                                  : kEmpty;
    if (word.empty() || is_word(word, {"train", "training"})) return &Listing::train;
    if (is_word(word, {"val", "valid", "validation"})) return &Listing::validation;
    if (is_word(word, {"test", "testing"})) return &Listing::test;
    refuse(row, fmt::format("the split '{}' is none of train, val and test", one_line(word)));
  }
  [[noreturn]] void refuse(const CsvTable::Row& row, const std::string& why) const {
    throw user_error("data", "{}, line {}: {}", path_text(csv_), row.line, why);
  }

 private:
  inline static const std::string kEmpty;

  [[noreturn]] void refuse_empty() const {
    throw user_error("data", "{} lists no image: write a file and its label in each line",
                     path_text(csv_));
  }

  const std::string& cell(const CsvTable::Row& row, int column) const {
    if (row.cells.size() <= static_cast<std::size_t>(column) || row.cells[column].empty()) {
      refuse(row, "needs a file and a label, such as cats/1.jpg,cat");
    }
    return row.cells[column];
  }

  fs::path csv_;
  CsvTable table_;
  Columns columns_;
};

}  // namespace

std::optional<fs::path> find_csv(const fs::path& place) {
  if (is_table(place)) return place;
  if (!is_folder(place)) return {};
  std::vector<fs::path> tables = list_without_litter(place);
  std::erase_if(tables, [](const fs::path& path) { return !is_table(path); });
  if (tables.size() != 1) return {};
  return tables.front();
}

Listing list_csv(const fs::path& csv, const std::optional<std::vector<std::string>>& class_names) {
  const CsvReader reader(csv);
  Listing listing;
  listing.name = csv.stem().string();
  listing.folder = listing.classes = csv.has_parent_path() ? csv.parent_path() : fs::path(".");
  listing.place = csv;
  std::set<std::string> labels;
  for (const CsvTable::Row& row : reader.rows()) labels.insert(reader.label(row));
  listing.class_names =
      class_names ? *class_names : std::vector<std::string>(labels.begin(), labels.end());
  if (listing.class_names.size() < 2) {
    throw user_error("data", "{} has the label {} alone: list images of two or more classes",
                     path_text(csv), one_line(*labels.begin()));
  }
  std::map<std::string, int> numbers;
  for (std::size_t label = 0; label < listing.class_names.size(); ++label) {
    numbers[listing.class_names[label]] = static_cast<int>(label);
  }
  for (const CsvTable::Row& row : reader.rows()) {
    const auto label = numbers.find(reader.label(row));
    if (label == numbers.end()) {
      reader.refuse(
          row, fmt::format("the label '{}' is none of the classes {}", one_line(reader.label(row)),
                           one_line(fmt::to_string(fmt::join(listing.class_names, ", ")), 400)));
    }
    (listing.*reader.half(row))
        .push_back({file_of(listing.folder, reader.file(row)), label->second});
  }
  listing.has_validation = !listing.validation.empty();
  listing.has_test = !listing.test.empty();
  return listing;
}

}  // namespace sluice

#pragma once

#include <filesystem>
#include <optional>

#include "data/listing.h"

namespace sluice {

/// Returns the table of a place: a .csv or .tsv file, or the only one of a folder. Nothing if there
/// is none.
std::optional<std::filesystem::path> find_csv(const std::filesystem::path& place);

/// Lists the files of a CSV file: a row has a file, relative to the CSV file, and its label. A
/// first row of known words names the columns (file, filename, path, image; label, class, category;
/// split, set); other columns are not read. Without it, the first column is the file, the second
/// the label, a third the split. A split is train, val or test in the usual words; an empty one is
/// train. Classes are the labels, sorted, or `class_names`. Throws Error (user) with the line for a
/// row that does not fit, and for fewer than two classes.
Listing list_csv(const std::filesystem::path& csv,
                 const std::optional<std::vector<std::string>>& class_names);

}  // namespace sluice

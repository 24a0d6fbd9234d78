#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::cli {

// What the user typed wrongly, in a line that says how it is right. CLI11's own words show its
// inside: ranges of 309 digits, maps, arguments in another order.

/// Check of an option's value: a whole number in the range, written in decimal digits.
CLI::Validator whole_number(long least, long most);
/// A number in the range; "nan" and "inf" are none.
CLI::Validator number(double least, double most);
/// One of these words.
CLI::Validator one_of(std::vector<std::string> words);

/// One of these words, which becomes its number: CLI11 reads an enum so.
CLI::Validator word_to_number(std::vector<std::pair<std::string, int>> numbers);

/// Refuses empty values of all options of all verbs: "" would be taken for an option left out.
void refuse_empty_values(CLI::App& app);

/// Throws Error (user) if `to` is a folder, or a file, not empty, that does not begin as what will
/// be written: a picture or an experiment, named by mistake, would be lost. Throws Error as
/// write_file() does where nothing can be written.
inline constexpr std::string_view kPage = "<!DOCTYPE html>";
inline constexpr std::string_view kJson = "{\n";
void require_replaceable(const std::string& to, std::string_view begin);

/// The message for an error of parsing.
std::string mistake_in(const CLI::App& app, const CLI::ParseError& error);

}  // namespace sluice::cli

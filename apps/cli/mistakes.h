#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::cli {

// Messages for mistakes on the command line, which say how to mend them. CLI11's own messages show
// its internals: ranges of 309 digits, maps, arguments in another order.

/// Checks an option's value: a whole number in the range, in decimal digits.
CLI::Validator whole_number(long least, long most);
/// Checks an option's value: a number in the range, not "nan" or "inf".
CLI::Validator number(double least, double most);
/// Checks an option's value: one of these words.
CLI::Validator one_of(std::vector<std::string> words);

/// Checks an option's value, one of these words, and replaces it by its number, from which CLI11
/// reads an enum.
CLI::Validator word_to_number(std::vector<std::pair<std::string, int>> numbers);

/// Refuses empty values of all options of all verbs, because "" would count as a missing option.
void refuse_empty_values(CLI::App& app);

/// Throws Error (user) if `to` is a folder, or a file that is not empty and begins differently from
/// the new content, because a picture or an experiment could be lost by a mistake. Throws Error as
/// write_file() does if the file cannot be written.
inline constexpr std::string_view kPage = "<!DOCTYPE html>";
inline constexpr std::string_view kJson = "{\n";
void require_replaceable(const std::string& to, std::string_view begin);

/// Returns the message for an error of parsing.
std::string mistake_in(const CLI::App& app, const CLI::ParseError& error);

}  // namespace sluice::cli

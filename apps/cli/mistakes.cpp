#include "cli/mistakes.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/fail.h"
#include "sluice/files.h"
#include "sluice/lab/run_folder.h"
#include "sluice/text.h"

namespace sluice::cli {

namespace {

/// Returns an empty string if the whole text is a number in the range, else the fault.
template <class Number>
std::string fault_of(const std::string& text, Number least, Number most, const char* kind) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const bool whole = error == std::errc() && stop == end && !text.empty();
  if (whole && value >= least && value <= most) return {};
  return fmt::format("must be {} from {} to {}, not '{}'", kind, least, most, one_line(text));
}

/// Returns the last verb on the command line: `sample` of "data sample".
const CLI::App& verb_of(const CLI::App& app) {
  const CLI::App* verb = &app;
  while (!verb->get_subcommands().empty()) verb = verb->get_subcommands().back();
  return *verb;
}

std::string full_name(const CLI::App& verb) {
  return verb.get_parent() == nullptr ? verb.get_name()
                                      : full_name(*verb.get_parent()) + " " + verb.get_name();
}

std::vector<std::string> names_of_verbs(const CLI::App& verb) {
  std::vector<std::string> names;
  for (const CLI::App* each : verb.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(each->get_name());
  }
  return names;
}

std::vector<std::string> names_of_options(const CLI::App& verb) {
  std::vector<std::string> names;
  for (const CLI::Option* option : verb.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& known) {
  const std::string meant = closest(word, known);
  return meant.empty() ? "" : fmt::format(": did you mean {}?", meant);
}

/// Returns an empty string if the text is one of the words, else the fault.
std::string not_among(const std::vector<std::string>& words, const std::string& text) {
  if (std::ranges::find(words, text) != words.end()) return {};
  return fmt::format("must be {}, not '{}'{}", fmt::join(words, ", "), one_line(text),
                     did_you_mean(text, words));
}

/// Returns the key of an experiment for an unknown option: "train.epochs" for "--epochs".
std::string experiment_key(const std::string& option) {
  std::string word = option.substr(std::min(option.size(), option.find_first_not_of('-')));
  if (word.empty()) return {};
  std::ranges::replace(word, '-', '_');
  std::istringstream lines("name = \n" + settings_text({}));  // "train.epochs.gate = 10"
  for (std::string line; std::getline(lines, line);) {
    const std::string key = line.substr(0, line.find(" ="));
    for (const std::string& path : {key, key.substr(0, key.rfind('.'))}) {
      if (path == word || path.ends_with("." + word)) return path;
    }
  }
  return {};
}

/// Returns the message for the first word that no verb or option takes, options first.
std::string unexpected(const CLI::App& app, const CLI::App& verb) {
  const std::vector<std::string> words = app.remaining(true);
  const auto option = std::ranges::find_if(words, [](const auto& w) { return w.starts_with("-"); });
  const std::string name = full_name(verb);
  if (option != words.end()) {
    const std::string word = option->substr(0, option->find('='));
    const std::string key = verb.get_name() == "train" ? experiment_key(word) : "";
    if (!key.empty()) {
      return fmt::format("{} has no option {}: a value of the experiment is --set {}=VALUE", name,
                         word, key);
    }
    return fmt::format("{} has no option {}{}", name, one_line(word),
                       did_you_mean(word, names_of_options(verb)));
  }
  const std::string word = words.empty() ? "" : words.front();
  const std::vector<std::string> verbs = names_of_verbs(verb);
  if (verbs.empty()) return fmt::format("{} does not take '{}' as well", name, one_line(word));
  const std::string meant = did_you_mean(word, verbs);
  return fmt::format("{} has no verb '{}'{}", name, one_line(word),
                     meant.empty() ? fmt::format(": it has {}", fmt::join(verbs, ", ")) : meant);
}

}  // namespace

CLI::Validator whole_number(long least, long most) {
  return {[=](std::string& text) { return fault_of(text, least, most, "a whole number"); }, ""};
}

CLI::Validator number(double least, double most) {
  return {[=](std::string& text) { return fault_of(text, least, most, "a number"); }, ""};
}

CLI::Validator one_of(std::vector<std::string> words) {
  return {[words = std::move(words)](std::string& text) { return not_among(words, text); }, ""};
}

CLI::Validator word_to_number(std::vector<std::pair<std::string, int>> numbers) {
  return {[numbers = std::move(numbers)](std::string& text) {
            std::vector<std::string> words;
            for (const auto& [word, number] : numbers) words.push_back(word);
            std::string fault = not_among(words, text);
            const auto at = std::ranges::find(words, text) - words.begin();
            if (fault.empty()) text = std::to_string(numbers[at].second);
            return fault;
          },
          ""};
}

void refuse_empty_values(CLI::App& app) {
  const CLI::Validator not_empty(
      [](std::string& text) { return std::string(text.empty() ? "must not be empty" : ""); }, "");
  for (CLI::Option* option : app.get_options()) {
    if (option->get_items_expected_max() > 0) option->check(not_empty);
  }
  for (CLI::App* verb : app.get_subcommands([](CLI::App*) { return true; })) {
    refuse_empty_values(*verb);
  }
}

void require_replaceable(const std::string& to, std::string_view begin) {
  std::error_code error;
  if (std::filesystem::is_directory(to, error)) {
    throw user_error("output", "{} is a folder: name a file in it", path_text(to));
  }
  require_writable(to);  // reported before the work, not after it
  if (!std::filesystem::is_regular_file(to, error) || std::filesystem::file_size(to, error) == 0) {
    return;
  }
  std::string found(begin.size(), '\0');
  std::ifstream(to, std::ios::binary)
      .read(found.data(), static_cast<std::streamsize>(found.size()));
  if (found == begin) return;
  throw user_error("output", "{} exists and has other content: choose another name", path_text(to));
}

std::string mistake_in(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& verb = verb_of(app);
  std::string what = error.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    what = unexpected(app, verb);
  } else if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    what = what.substr(0, what.find(':')) + " needs a value";  // "--run: 1 required DIR missing"
  }
  return fmt::format("{} (see `{} --help`)", what, full_name(verb));
}

}  // namespace sluice::cli

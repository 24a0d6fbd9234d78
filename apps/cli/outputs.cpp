#include "cli/outputs.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/output.h"
#include "sluice/text.h"

namespace sluice::cli {

namespace {

/// Lines of at most 80 columns.
void print_names(const std::string& title, const std::vector<std::string>& names) {
  constexpr std::size_t kColumns = 80;
  std::string line = fmt::format("{:<9}", title + ":");
  std::size_t width = line.size();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string word =
        fmt::format(" {} {}{}", i, one_line(names[i]), i + 1 < names.size() ? "," : "");
    if (width + display_width(word) > kColumns) {
      print_out("{}\n", line);
      line = std::string(9, ' ');
      width = line.size();
    }
    line += word;
    width += display_width(word);
  }
  print_out("{}\n", line);
}

}  // namespace

void OutputNames::add(const AnyModel& model) {
  if (const auto* mixture = std::get_if<SavedMixture>(&model)) {
    add("classes", mixture->class_names);
    std::vector<std::string> groups;
    for (const Groups::Group& group : mixture->groups) groups.push_back(group.name);
    add("groups", groups);
  } else {
    const auto& network = std::get<SavedModel>(model);
    add(network.model.name == names::kGate ? "groups" : "classes", network.class_names);
  }
}

void OutputNames::add(const char* title, const std::vector<std::string>& names) {
  const auto same = [&](const auto& known) { return known.second == names; };
  if (!names.empty() && std::ranges::none_of(names_, same)) names_.emplace_back(title, names);
}

void OutputNames::print() const {
  for (const auto& [title, names] : names_) print_names(title, names);
}

}  // namespace sluice::cli

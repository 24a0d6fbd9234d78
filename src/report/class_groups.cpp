#include <fmt/ranges.h>

#include <functional>

#include "report/text.h"
#include "sluice/lab/report.h"

namespace sluice {

namespace {

/// Lines of a tree, a join with its similarity above its two parts.
std::string tree_text(const ClassConfusions& confusions) {
  const ClassTree tree = class_tree(confusions);
  const int classes = confusions.classes();
  std::string out;
  const std::function<void(int, const std::string&, const std::string&)> draw =
      [&](int node, const std::string& first, const std::string& rest) {
        if (node < classes) {
          const std::string& name = confusions.class_names[static_cast<std::size_t>(node)];
          out += first + std::string(head(printable(name), kTextWidth - 40)) + "\n";
          return;
        }
        const ClassTree::Join& join = tree.joins[static_cast<std::size_t>(node - classes)];
        out += fmt::format("{}{:.2f}%\n", first, 100 * join.similarity);
        draw(join.first, rest + "├─ ", rest + "│  ");
        draw(join.second, rest + "└─ ", rest + "   ");
      };
  draw(classes + static_cast<int>(tree.joins.size()) - 1, "", "");
  return out;
}

}  // namespace

std::string class_groups_text(const ClassConfusions& confusions,
                              const std::vector<Groups::Group>& groups) {
  const GroupErrors errors = group_errors(confusions, groups);
  const auto row = [](std::string_view name, const std::string& images, const std::string& inside,
                      const std::string& across) {
    return left(name, 42) + right(images, 12) + right(inside, 12) + right(across, 12) + "\n";
  };
  const auto counted = [&](std::string_view name, const GroupErrors::Group& group) {
    return row(name, with_commas(group.images), with_commas(group.inside),
               with_commas(group.across));
  };
  std::string out =
      "Classes that are taken for each other, joined from the most alike on\n"
      "(mean probability that an image of one is of the other):\n\n" +
      tree_text(confusions) + "\n" + row("", "", "errors", "errors") +
      row("Group", "images", "inside", "across");
  for (std::size_t g = 0; g < groups.size(); ++g) {
    out += counted(printable(groups[g].name), errors.groups[g]);
  }
  out += counted("all", errors.all) + "\n";
  for (const Groups::Group& group : groups) {
    if (group.also.empty()) continue;
    out += wrapped(fmt::format("The expert of {} also learns {}.", printable(group.name),
                               printable(fmt::to_string(fmt::join(group.also, ", ")))));
  }
  const std::int64_t wrong = errors.all.inside + errors.all.across;
  if (wrong == 0) return out + "The network makes no errors on these images.\n";
  const auto share = [&](std::int64_t part, std::int64_t whole) {
    return percent(static_cast<double>(part) / static_cast<double>(whole));
  };
  return out + wrapped(fmt::format(
                   "{} of {} errors ({}) are between classes of one group. Experts can mend at "
                   "most these: "
                   "{} of all images. The other errors cross the groups: a gate makes them, too.",
                   with_commas(errors.all.inside), with_commas(wrong),
                   share(errors.all.inside, wrong), share(errors.all.inside, errors.all.images)));
}

}  // namespace sluice

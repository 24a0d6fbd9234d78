#include <fmt/format.h>

#include "report/text.h"
#include "sluice/lab/report.h"

namespace sluice {

namespace {

constexpr std::size_t kNameWidth = 20;
constexpr std::size_t kExpertWidth = 15;
constexpr std::size_t kExpertsBeside = (kTextWidth - kNameWidth) / kExpertWidth;

std::string part(std::int64_t count, std::int64_t of) {
  if (of == 0) return "-";
  return percent(static_cast<double>(count) / static_cast<double>(of));
}

std::string taken_and_right(const ExpertUse::Count& count, std::int64_t examples) {
  return part(count.taken, examples) + right(part(count.right, count.taken), 7);
}

/// Some experts of a layer beside each other.
std::string block(const ExpertUse& use, const ConfusionMatrix& confusion, std::size_t first) {
  const std::size_t end = std::min(use.experts.size(), first + kExpertsBeside);
  const auto row = [&](const std::string& name, const auto& cell) {
    std::string line = left(name, kNameWidth);
    for (std::size_t e = first; e < end; ++e) line += right(cell(e), kExpertWidth);
    return line + "\n";
  };
  std::string text = row("", [&](std::size_t e) { return printable(use.experts[e]); });
  for (int c = 0; c < confusion.classes(); ++c) {
    const std::int64_t examples = confusion.support(c);
    if (examples == 0) continue;
    text += row(printable(confusion.class_names()[static_cast<std::size_t>(c)]),
                [&](std::size_t e) { return taken_and_right(use.of(c, e), examples); });
  }
  return text +
         row("all", [&](std::size_t e) { return taken_and_right(use.of_all(e), use.examples); });
}

}  // namespace

std::string expert_use_text(const Evaluation& evaluation) {
  std::string text;
  for (const ExpertUse& use : evaluation.experts) {
    text +=
        wrapped(fmt::format("Experts of '{}': the part of each class's images that they take, "
                            "and how many of these are right",
                            printable(use.layer)));
    for (std::size_t first = 0; first < use.experts.size(); first += kExpertsBeside) {
      text += block(use, evaluation.confusion, first);
    }
  }
  return text;
}

}  // namespace sluice

#include <fmt/format.h>

#include "report/text.h"
#include "sluice/lab/report.h"

namespace sluice {

namespace {

constexpr std::size_t kNameWidth = 20;

std::string part(double count, double of) {
  return of == 0 ? "-" : percent(count / of);
}

/// What an expert took of some examples, and how many of these are right; of a kernel, whose part
/// in an answer is as right as that of the others, only what it took.
std::string cell(const ExpertUse& use, const ExpertUse::Count& count, std::int64_t examples) {
  const std::string taken = part(count.taken, static_cast<double>(examples));
  return use.mixed ? taken : taken + right(part(count.right, count.taken), 7);
}

/// The experts of a layer from `first` to `end`, beside each other, each of that width.
std::string block(const ExpertUse& use, const ConfusionMatrix& confusion, std::size_t first,
                  std::size_t end, std::size_t width) {
  const auto row = [&](const std::string& name, const auto& text_of) {
    std::string line = left(name, kNameWidth);
    for (std::size_t e = first; e < end; ++e) line += right(text_of(e), width);
    return line + "\n";
  };
  std::string text = row("", [&](std::size_t e) { return printable(use.experts[e]); });
  for (int c = 0; c < confusion.classes(); ++c) {
    const std::int64_t examples = confusion.support(c);
    if (examples == 0) continue;
    text += row(printable(confusion.class_names()[static_cast<std::size_t>(c)]),
                [&](std::size_t e) { return cell(use, use.of(c, e), examples); });
  }
  return text + row("all", [&](std::size_t e) { return cell(use, use.of_all(e), use.examples); });
}

}  // namespace

std::string expert_use_text(const Evaluation& evaluation) {
  std::string text;
  for (const ExpertUse& use : evaluation.experts) {
    const std::string layer = printable(use.layer);
    text += wrapped(use.mixed
                        ? fmt::format("Kernels of '{}': their mean weights in the mixes for each "
                                      "class's images",
                                      layer)
                        : fmt::format("Experts of '{}': the part of each class's images that they "
                                      "take, and how many of these are right",
                                      layer));
    const std::size_t width = use.mixed ? 7 : 15;
    const std::size_t beside = (kTextWidth - kNameWidth) / width;
    for (std::size_t first = 0; first < use.experts.size(); first += beside) {
      const std::size_t end = std::min(use.experts.size(), first + beside);
      text += block(use, evaluation.confusion, first, end, width);
    }
  }
  return text;
}

}  // namespace sluice

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "report/text.h"
#include "sluice/lab/report.h"

namespace sluice {

namespace {

std::string row(const std::string& name, std::size_t width, const std::string& precision,
                const std::string& recall, const std::string& f1, const std::string& support) {
  return fmt::format("{} {:>10} {:>10} {:>10} {:>10}\n", left(name, width), precision, recall, f1,
                     support);
}

std::string row(const std::string& name, std::size_t width, const ClassificationReport::Row& its) {
  const auto decimals = [](double value) { return fmt::format("{:.3f}", value); };
  return row(name, width, decimals(its.precision), decimals(its.recall), decimals(its.f1),
             with_commas(its.support));
}

}  // namespace

std::string classification_text(const ConfusionMatrix& confusion) {
  constexpr std::size_t kMostWidth = 32;
  std::size_t width = display_width("weighted mean");
  for (const std::string& name : confusion.class_names()) {
    width = std::max(width, display_width(printable(name)));
  }
  width = std::min(width, kMostWidth);
  const ClassificationReport report = classification_report(confusion);
  std::string out = row("", width, "precision", "recall", "F1", "images");
  for (int c = 0; c < confusion.classes(); ++c) {
    out += row(printable(confusion.class_names()[c]), width, report.classes[c]);
  }
  return out + row("macro mean", width, report.macro) +
         row("weighted mean", width, report.weighted);
}

}  // namespace sluice

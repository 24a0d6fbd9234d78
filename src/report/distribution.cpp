#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "report/text.h"
#include "sluice/lab/report.h"

namespace sluice {

namespace {

double share(std::size_t count, std::size_t total) {
  return total == 0 ? 0 : static_cast<double>(count) / static_cast<double>(total);
}

std::string balance(const char* what, const Examples& examples) {
  return wrapped(fmt::format("{} are {}", what, printable(balance_in_words(examples))));
}

}  // namespace

std::string distribution_text(const Examples& train, const Examples& test) {
  const std::vector<std::size_t> trained = train.distribution();
  const std::vector<std::size_t> tested = test.distribution();
  std::vector<std::string> names;
  for (const std::string& name : train.class_names()) names.push_back(printable(name));

  std::size_t width = 5;
  for (std::size_t c = 0; c < names.size(); ++c) {
    if (trained[c] + tested[c] > 0) width = std::max(width, display_width(names[c]));
  }
  width = std::min<std::size_t>(width, 36);

  std::string out = fmt::format("{}  {:>10}  {:>6}  {:>10}  {:>6}\n", left("Class", width),
                                "Training", "share", "Test", "share");
  for (std::size_t c = 0; c < names.size(); ++c) {
    if (trained[c] + tested[c] == 0) continue;
    out += fmt::format("{}  {:>10}  {:>6}  {:>10}  {:>6}\n", left(names[c], width),
                       with_commas(static_cast<std::int64_t>(trained[c])),
                       percent(share(trained[c], train.size())),
                       with_commas(static_cast<std::int64_t>(tested[c])),
                       percent(share(tested[c], test.size())));
  }
  out += fmt::format("{}  {:>10}  {:>6}  {:>10}\n", left("Total", width),
                     with_commas(static_cast<std::int64_t>(train.size())), "",
                     with_commas(static_cast<std::int64_t>(test.size())));
  return out + balance("Training images", train) + balance("Test images", test);
}

}  // namespace sluice

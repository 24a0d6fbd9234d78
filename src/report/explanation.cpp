#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/fail.h"
#include "base/text.h"
#include "report/text.h"
#include "sluice/lab/report.h"

namespace sluice {

namespace {

constexpr std::size_t kClassesShown = 5;

std::vector<int> by_share(const std::vector<float>& scores) {
  std::vector<int> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](int a, int b) { return scores[a] > scores[b]; });
  return order;
}

std::string row(const std::string& name, const std::string& baseline, const std::string& expert,
                const std::string& weights, const std::string& mixture, const std::string& frozen) {
  return fmt::format("  {} {:>10} {:>10} {:>19} {:>10}{}\n", left(name, 14), baseline, expert,
                     weights, mixture, frozen.empty() ? "" : fmt::format(" {:>10}", frozen));
}

}  // namespace

std::string explanation_text(const Answers& answers, std::size_t example) {
  if (example >= answers.size()) {
    throw user_error("report", "there is no example {}: there are {}, from 0", example,
                     answers.size());
  }
  const bool has_frozen = !answers.frozen.empty();
  const std::size_t classes = answers.classes();
  const int group = answers.chosen_group(example);
  const std::vector<float> scores = answers.scores(example, group);
  const float sum = std::accumulate(scores.begin(), scores.end(), 0.f);
  const auto of = [&](const std::vector<float>& all, int label) {
    return percent(all[example * classes + label]);
  };

  std::string text = "  gate";
  for (std::size_t g = 0; g < answers.group_names.size(); ++g) {
    text += fmt::format("{} {} {}", g == 0 ? "" : ",", printable(answers.group_names[g]),
                        percent(answers.gate[example * answers.group_names.size() + g]));
  }
  const std::string asked = printable(names::expert(answers.group_names[group]));
  text = wrapped(text + ": chooses " + asked) + "\n" +
         row("", "baseline", "expert", "weights", "mixture", has_frozen ? "before *" : "");
  const std::vector<int> order = by_share(scores);
  for (std::size_t i = 0; i < std::min(kClassesShown, classes); ++i) {
    const int label = order[i];
    const float* weights = &answers.importances[group][2 * (example * classes + label)];
    text += row(printable(answers.class_names[label]), of(answers.baseline, label),
                of(answers.experts[group], label),
                fmt::format("{:.4f} | {:.4f}", weights[0], weights[1]),
                percent(scores[label] / sum), has_frozen ? of(answers.frozen, label) : "");
  }
  return text + "  The mixture is baseline x weight + expert x weight, divided by the sum.\n" +
         (has_frozen ? "  * the baseline before joint training\n" : "");
}

}  // namespace sluice

#include <fmt/format.h>

#include "base/text.h"
#include "sluice/lab/verdict.h"

namespace sluice {

namespace {

std::string gain(double difference) {
  return (difference < 0 ? "loses " : "gains ") + points_text(difference);
}

std::string mixture_clause(const Verdict& verdict) {
  const PairedComparison& found = verdict.difference;
  const std::string p = p_value_text(found.p_value);
  if (found.may_be_chance()) {
    return fmt::format(
        "The mixture {} {} the baseline, which may be chance ({}, 95% interval {} to {})",
        gain(found.difference), found.difference < 0 ? "against" : "over", p,
        signed_points(found.interval.low), signed_points(found.interval.high));
  }
  return fmt::format("The mixture {} {} the baseline ({})", gain(found.difference),
                     found.difference < 0 ? "against" : "over", p);
}

std::string control_clause(const Verdict& verdict, const Verdict::Control& best) {
  const std::string gained = gain(best.over_baseline.difference);
  const PairedComparison& found = best.to_mixture;
  if (found.difference <= 0) {
    return fmt::format("{} {} {}", improved(verdict) == Finding::yes ? ", but" : ", and",
                       best.words, gained);
  }
  return fmt::format(", and {}, the best control, {}: {} less than the mixture ({}{})", best.words,
                     gained, points_text(found.difference),
                     found.may_be_chance() ? "may be chance, " : "", p_value_text(found.p_value));
}

}  // namespace

const char* to_string(Finding finding) {
  switch (finding) {
    case Finding::yes:
      return "yes";
    case Finding::no:
      return "no";
    case Finding::not_shown:
      return "not shown";
  }
  return "";
}

Finding improved(const Verdict& verdict) {
  if (verdict.difference.may_be_chance()) return Finding::not_shown;
  return verdict.difference.difference > 0 ? Finding::yes : Finding::no;
}

Finding worth_it(const Verdict& verdict) {
  const Finding better = improved(verdict);
  if (better == Finding::no) return Finding::no;
  const Verdict::Control* best = verdict.best_control();
  if (best == nullptr) return Finding::not_shown;
  if (best->to_mixture.difference <= 0) return Finding::no;
  return better == Finding::yes && !best->to_mixture.may_be_chance() ? Finding::yes
                                                                     : Finding::not_shown;
}

std::string sentence(const Verdict& verdict) {
  std::string text = mixture_clause(verdict);
  if (const Verdict::Control* best = verdict.best_control()) text += control_clause(verdict, *best);
  text += ".";
  const ClassBalance& before = verdict.baseline.balance;
  const ClassBalance& now = verdict.mixture.balance;
  if (!now.is_uneven) return text;
  return text + fmt::format(
                    " The classes are uneven: the largest has {:.1f}% of the test images; "
                    "balanced accuracy was {:.1f}% and is {:.1f}%, macro F1 was {:.3f} and "
                    "is {:.3f}.",
                    100 * now.largest_share, 100 * before.balanced_accuracy,
                    100 * now.balanced_accuracy, before.macro_f1, now.macro_f1);
}

std::string sentence(const Verdict::Standing& network) {
  const std::string text = fmt::format(
      "The network classifies {:.1f}% of the test images correctly (95% interval {:.1f} to "
      "{:.1f}%).",
      100 * network.accuracy, 100 * network.interval.low, 100 * network.interval.high);
  if (!network.balance.is_uneven) return text;
  return text + fmt::format(" The classes are uneven: {}.", balance_in_words(network.balance));
}

}  // namespace sluice

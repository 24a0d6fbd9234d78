#include <fmt/format.h>

#include <cmath>

#include "sluice/verdict.h"

namespace sluice {

namespace {

constexpr double kLevel = 0.05;

bool is_chance(const PairedComparison& comparison) {
  return comparison.p_value >= kLevel;
}

/// "p = .012", as statistics are printed: no more digits than mean something.
std::string p_text(double p) {
  if (p < 0.001) return "p < .001";
  const std::string digits = p < 0.0995 ? fmt::format("{:.3f}", p) : fmt::format("{:.2f}", p);
  return "p = " + (digits[0] == '0' ? digits.substr(1) : digits);
}

std::string points(double difference) {
  return fmt::format("{:.1f} points", 100 * std::abs(difference));
}

std::string gain(double difference) {
  return (difference < 0 ? "loses " : "gains ") + points(difference);
}

std::string mixture_clause(const Verdict& verdict) {
  const PairedComparison& found = verdict.difference;
  const std::string p = p_text(found.p_value);
  if (is_chance(found)) {
    return fmt::format(
        "The mixture {} {} the baseline, which may be chance ({}, 95% interval "
        "{:+.1f} to {:+.1f})",
        gain(found.difference), found.difference < 0 ? "against" : "over", p,
        100 * found.interval.low, 100 * found.interval.high);
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
                     gained, points(found.difference), is_chance(found) ? "may be chance, " : "",
                     p_text(found.p_value));
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
  if (is_chance(verdict.difference)) return Finding::not_shown;
  return verdict.difference.difference > 0 ? Finding::yes : Finding::no;
}

Finding worth_it(const Verdict& verdict) {
  const Finding better = improved(verdict);
  if (better == Finding::no) return Finding::no;
  const Verdict::Control* best = verdict.best_control();
  if (best == nullptr) return Finding::not_shown;
  if (best->to_mixture.difference <= 0) return Finding::no;
  return better == Finding::yes && !is_chance(best->to_mixture) ? Finding::yes : Finding::not_shown;
}

std::string sentence(const Verdict& verdict) {
  std::string text = mixture_clause(verdict);
  if (const Verdict::Control* best = verdict.best_control()) text += control_clause(verdict, *best);
  return text + ".";
}

}  // namespace sluice

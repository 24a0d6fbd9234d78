#include <fmt/format.h>

#include <cmath>

#include "base/text.h"
#include "report/text.h"
#include "sluice/lab/report.h"

namespace sluice {

namespace {

std::string points(double difference) {
  return signed_points(difference) + " points";
}

std::string times(double mixture, double baseline) {
  return baseline > 0 ? fmt::format("x {:.1f}", mixture / baseline) : "-";
}

std::string in_a_sentence(Finding finding) {
  switch (finding) {
    case Finding::yes:
      return "Yes.";
    case Finding::no:
      return "No.";
    case Finding::not_shown:
      return "This run does not show it.";
  }
  return "";
}

std::string row(const std::string& what, const std::string& baseline, const std::string& mixture,
                const std::string& difference) {
  return fmt::format("{:<24}{:>14}{:>14}{:>16}\n", what, baseline, mixture, difference);
}

std::string speed(double images_per_second) {
  return with_commas(std::llround(images_per_second));
}

std::string range(const Interval& interval) {
  return fmt::format("{:.1f}-{:.1f}%", 100 * interval.low, 100 * interval.high);
}

std::string figures(const Results& results) {
  const ModelResult& one = results.baseline;
  const ModelResult& all = results.mixture;
  const Verdict& verdict = results.verdict;
  const History stages = all_stages(results);
  const auto counts = [](const std::string& what, std::int64_t baseline, std::int64_t mixture) {
    return row(what, with_commas(baseline), with_commas(mixture),
               times(static_cast<double>(mixture), static_cast<double>(baseline)));
  };
  const auto decimals = [](const std::string& what, double baseline, double mixture) {
    return row(what, fmt::format("{:.3f}", baseline), fmt::format("{:.3f}", mixture),
               fmt::format("{:+.3f}", mixture - baseline));
  };
  const auto took = [](const std::string& what, double baseline, double mixture) {
    return row(what, duration(baseline), duration(mixture), times(mixture, baseline));
  };
  return row("", "baseline", "mixture", "difference") +
         row("Test accuracy", percent(verdict.baseline.accuracy), percent(verdict.mixture.accuracy),
             points(verdict.difference.difference)) +
         row("  95% interval", range(verdict.baseline.interval), range(verdict.mixture.interval),
             signed_points(verdict.difference.interval.low) + " to " +
                 signed_points(verdict.difference.interval.high)) +
         decimals("Log loss", verdict.baseline.calibration.log_loss,
                  verdict.mixture.calibration.log_loss) +
         decimals("Calibration error (ECE)", verdict.baseline.calibration.ece,
                  verdict.mixture.calibration.ece) +
         counts("Parameters", one.cost.parameters, all.cost.parameters) +
         counts("  active per image", one.cost.active_parameters, all.cost.active_parameters) +
         counts("MFLOP per image", std::llround(one.cost.active_flops / 1e6),
                std::llround(all.cost.active_flops / 1e6)) +
         row("Latency of one image", fmt::format("{:.1f} ms", one.latency_ms),
             fmt::format("{:.1f} ms", all.latency_ms), times(all.latency_ms, one.latency_ms)) +
         row("Test images/s", speed(one.test.images_per_second), speed(all.test.images_per_second),
             times(all.test.images_per_second, one.test.images_per_second)) +
         (stages.images == 0
              ? ""  // an imported run
              : took("Training time *", one.history.seconds, stages.seconds) +
                    took("  processor time *", one.history.cpu_seconds, stages.cpu_seconds) +
                    counts("Images trained on *", one.history.images, stages.images) +
                    "* the mixture's figures include all stages, also the baseline's\n");
}

std::string controls(const Results& results) {
  const auto line = [](const std::string& words, const std::string& accuracy,
                       const std::string& gain, const std::string& parameters,
                       const std::string& time) {
    return fmt::format("{} {} {} {} {}\n", left(words, 31), right(accuracy, 8), right(gain, 13),
                       right(parameters, 11), right(time, 13));
  };
  if (results.controls.empty()) return "";
  std::string out = line("Controls", "accuracy", "over baseline", "parameters", "training");
  for (std::size_t i = 0; i < results.controls.size(); ++i) {
    const Results::Control& control = results.controls[i];
    const Verdict::Control& judged = results.verdict.controls[i];
    out += line(judged.words, percent(judged.standing.accuracy),
                points(judged.over_baseline.difference), with_commas(control.cost.parameters),
                duration(control.history.seconds));
  }
  return out + "\n";
}

std::string counted(const std::string& what, std::int64_t count, std::int64_t all) {
  return "  " + left(what, 56) + right(with_commas(count), 11) +
         right(percent(static_cast<double>(count) / static_cast<double>(all)), 11) + "\n";
}

/// Formats the mixture's error budget.
std::string budget(const Verdict& verdict) {
  const ErrorBudget& all = verdict.budgets.all;
  const std::int64_t n = all.examples();
  return "Error budget of the mixture, " + images(n) + ":\n" + counted("right", all.right, n) +
         counted("wrong: the gate chose another group's expert", all.wrong_group, n) +
         counted("wrong: the expert was right, but was overruled", all.overruled, n) +
         counted("wrong: the expert of the right group was wrong", all.wrong_class, n) +
         counted("would be right with a perfect gate", all.oracle, n) +
         counted("would be right by the better of expert and baseline", all.best, n);
}

/// Formats each expert's share of images and of time.
std::string use_of_experts(const Results& results) {
  const Verdict& verdict = results.verdict;
  double seconds = 0;
  for (const auto& [part, its] : results.part_seconds) seconds += its;
  const auto share_of_time = [&](const std::string& group) {
    double own = 0;
    for (const auto& [part, its] : results.part_seconds) {
      if (part == names::expert(group) || part == names::importance(group)) own += its;
    }
    return seconds > 0 ? own / seconds : 0;
  };
  std::string out;
  for (std::size_t g = 0; g < verdict.asked.size(); ++g) {
    const std::string& group = results.experts[g].group;
    out += counted(fmt::format("routed to {} ({} of the time)", printable(names::expert(group)),
                               percent(share_of_time(group))),
                   verdict.asked[g], verdict.budgets.all.examples());
  }
  for (const int group : dead_experts(verdict)) {
    out += wrapped(fmt::format("Warning: the gate rarely chooses {}. Does it know the group?",
                               printable(names::expert(results.experts[group].group))));
  }
  return out;
}

std::string part(const std::string& name, const std::string& on, double accuracy) {
  return "  " + left(name, 28) + "  " + left(on, 38) + "  " + right(percent(accuracy), 8) + "\n";
}

std::string parts(const Results& results) {
  std::string out = "Parts of the mixture, before joint training:\n";
  for (const auto& [group, result] : results.experts) {
    const std::string name = printable(names::expert(group));
    out += part(name, "its own classes, " + images(result.test.confusion.total()),
                result.test.accuracy);
    if (result.whole) {
      out += part("", "every class, " + images(result.whole->confusion.total()),
                  result.whole->accuracy);
    }
  }
  return out + part(names::kGate, "which group, " + images(results.gate.test.confusion.total()),
                    results.gate.test.accuracy);
}

std::string price(const Results& results) {
  std::string out = fmt::format("{:.1f} times the parameters",
                                static_cast<double>(results.mixture.cost.parameters) /
                                    static_cast<double>(results.baseline.cost.parameters));
  const double seconds = results.baseline.history.seconds;
  if (seconds > 0) {
    out +=
        fmt::format(" and {:.1f} times the training time", all_stages(results).seconds / seconds);
  }
  return out;
}

/// Answers the lab's two questions.
std::string answers(const Results& results) {
  const Verdict& verdict = results.verdict;
  std::string worth =
      fmt::format("Was it worth {}? {}", price(results), in_a_sentence(worth_it(verdict)));
  if (verdict.controls.empty()) {
    worth += " Train with --controls to compare it with baselines of equal cost.";
  }
  return wrapped(sentence(verdict)) + "\n" +
         wrapped(fmt::format("Has performance improved? {}", in_a_sentence(improved(verdict)))) +
         wrapped(worth);
}

/// Formats the figures of a run without groups.
std::string one_network(const Results& results) {
  const ModelResult& one = results.baseline;
  const History all = all_stages(results);
  const Verdict::Standing& standing = results.verdict.baseline;
  const Views views = results.experiment.views;
  const auto line = [](const std::string& what, const std::string& value) {
    return fmt::format("{:<24}{:>14}\n", what, value);
  };
  return line("Test accuracy", percent(standing.accuracy)) +
         line("  95% interval", range(standing.interval)) +
         line("Log loss", fmt::format("{:.3f}", standing.calibration.log_loss)) +
         line("Calibration error (ECE)", fmt::format("{:.3f}", standing.calibration.ece)) +
         line("Parameters", with_commas(one.cost.parameters)) +
         line("MFLOP per image", mega_text(one.cost.active_flops)) +
         line("Latency of one image", fmt::format("{:.2f} ms", one.latency_ms)) +
         (views == Views::one ? "" : line("Views of each image *", to_string(views))) +
         line("Test images/s", speed(one.test.images_per_second)) +
         (one.history.images == 0 ? ""  // an imported run
                                  : line("Training time", duration(all.seconds)) +
                                        line("  processor time", duration(all.cpu_seconds)) +
                                        line("Images trained on", with_commas(all.images))) +
         (views == Views::one ? ""
                              : "* combined for the test; MFLOP and latency are of one view\n") +
         "\n" + wrapped(sentence(standing));
}

}  // namespace

std::string comparison_text(const Results& results) {
  if (!results.has_mixture()) return one_network(results);
  return figures(results) + "\n" + parts(results) + "\n" + budget(results.verdict) +
         use_of_experts(results) + "\n" + controls(results) + answers(results);
}

}  // namespace sluice

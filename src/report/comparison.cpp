#include <fmt/format.h>

#include <cmath>

#include "base/text.h"
#include "report/text.h"
#include "sluice/report.h"

namespace sluice {

namespace {

/// How far chance alone may move an accuracy measured on so many images, as one standard error.
/// Two failures and two successes are added (Agresti and Coull 1998), or 100% would be certain.
double standard_error(double accuracy, std::size_t count) {
  const double n = static_cast<double>(count) + 4;
  const double p = (accuracy * static_cast<double>(count) + 2) / n;
  return std::sqrt(p * (1 - p) / n);
}

std::string points(double difference) {
  return fmt::format("{:+.1f} points", 100 * difference);
}

std::string times(double mixture, double baseline) {
  return baseline > 0 ? fmt::format("x {:.1f}", mixture / baseline) : "-";
}

std::string row(const std::string& what, const std::string& baseline, const std::string& mixture,
                const std::string& difference) {
  return fmt::format("{:<24}{:>14}{:>14}{:>16}\n", what, baseline, mixture, difference);
}

std::string speed(double images_per_second) {
  return with_commas(std::llround(images_per_second));
}

std::string figures(const Results& results) {
  const ModelResult& one = results.baseline;
  const ModelResult& all = results.mixture;
  const double seconds = mixture_seconds(results);
  return row("", "baseline", "mixture", "difference") +
         row("Test accuracy", percent(one.test.accuracy), percent(all.test.accuracy),
             points(all.test.accuracy - one.test.accuracy)) +
         row("Test loss", fmt::format("{:.3f}", one.test.loss),
             fmt::format("{:.3f}", all.test.loss),
             fmt::format("{:+.3f}", all.test.loss - one.test.loss)) +
         row("Parameters", with_commas(one.parameters), with_commas(all.parameters),
             times(static_cast<double>(all.parameters), static_cast<double>(one.parameters))) +
         row("Training time *", duration(one.history.seconds), duration(seconds),
             times(seconds, one.history.seconds)) +
         row("Training images/s **", speed(one.history.images_per_second),
             speed(all.history.images_per_second),
             times(all.history.images_per_second, one.history.images_per_second)) +
         row("Test images/s", speed(one.test.images_per_second), speed(all.test.images_per_second),
             times(all.test.images_per_second, one.test.images_per_second)) +
         "*  mixture: all stages, the baseline's too   ** mixture: its joint training\n";
}

std::string part(const std::string& name, const std::string& on, double accuracy) {
  return "  " + left(name, 28) + "  " + left(on, 38) + "  " + right(percent(accuracy), 8) + "\n";
}

std::string parts(const Results& results) {
  std::string out = "Parts of the mixture, before joint training:\n";
  for (const auto& [group, result] : results.experts) {
    const std::string name = "expert-" + printable(group);
    out += part(name, "its own classes, " + images(result.test.confusion.total()),
                result.test.accuracy);
    if (result.whole) {
      out += part("", "every class, " + images(result.whole->confusion.total()),
                  result.whole->accuracy);
    }
  }
  return out + part("gate", "which group, " + images(results.gate.test.confusion.total()),
                    results.gate.test.accuracy);
}

std::string cost(const Results& results) {
  std::string out = fmt::format("{:.1f} times the parameters",
                                static_cast<double>(results.mixture.parameters) /
                                    static_cast<double>(results.baseline.parameters));
  const double seconds = results.baseline.history.seconds;
  if (seconds > 0) {
    out += fmt::format(" and {:.1f} times the training time", mixture_seconds(results) / seconds);
  }
  return out;
}

/// What the difference is worth, and then the answer.
std::string verdict(const Results& results) {
  const double one = results.baseline.test.accuracy;
  const double all = results.mixture.test.accuracy;
  const double difference = all - one;
  const std::size_t n = results.test_images;
  // Both saw the same images, so their errors go together and the true figure is below this one.
  const double noise = std::hypot(standard_error(one, n), standard_error(all, n));
  const std::string price = cost(results);

  std::string out = wrapped(fmt::format(
      "Noise: with {} an accuracy has a standard error of about {:.1f} points, and a difference "
      "of two of about {:.1f} or less.",
      images(static_cast<std::int64_t>(n)), 100 * standard_error(one, n), 100 * noise));
  std::string answer;
  if (std::abs(difference) < noise) {
    answer = fmt::format(
        "Did the mixture improve on the baseline? This run does not show it: {} is within the "
        "noise, at {}.",
        points(difference), price);
  } else if (std::abs(difference) < 2 * noise) {
    answer = fmt::format(
        "Did the mixture improve on the baseline? {}: {} is beyond one standard error but not "
        "two, at {}. Other seeds would tell.",
        difference > 0 ? "Perhaps" : "Probably not", points(difference), price);
  } else {
    answer = fmt::format(
        "Did the mixture improve on the baseline? {} in this run: {} is more than these test "
        "images' noise explains, at {}. Another seed may move it.",
        difference > 0 ? "Yes" : "No, it is worse", points(difference), price);
  }
  return out + wrapped(answer);
}

}  // namespace

std::string comparison_text(const Results& results) {
  return figures(results) + "\n" + parts(results) + "\n" + verdict(results);
}

}  // namespace sluice

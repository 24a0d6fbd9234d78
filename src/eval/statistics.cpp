#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <numeric>

#include "base/fail.h"
#include "sluice/evaluation.h"

namespace sluice {

namespace {

/// Returns the normal distribution's 97.5th percentile.
double critical_value() {
  return quantile(boost::math::normal_distribution<double>(), 0.975);
}

double mcnemar(std::int64_t only_first, std::int64_t only_second) {
  const auto trials = static_cast<double>(only_first + only_second);
  if (trials == 0) return 1;
  const boost::math::binomial_distribution<double> even(trials, 0.5);
  return std::min(1.0, 2 * cdf(even, static_cast<double>(std::min(only_first, only_second))));
}

/// Tango's score test for a paired difference (Tango 1998).
class ScoreTest {
 public:
  ScoreTest(std::int64_t only_first, std::int64_t only_second, std::size_t examples)
      : first_(static_cast<double>(only_first)),
        second_(static_cast<double>(only_second)),
        n_(static_cast<double>(examples)) {}

  /// Whether the test accepts this true difference, at 5%.
  bool accepts(double difference) const {
    const double deviation = second_ - first_ - n_ * difference;
    return deviation * deviation <= z_ * z_ * n_ * variance(difference);
  }

 private:
  /// Variance of one example's difference, if the true mean is `difference`.
  double variance(double difference) const {
    // Maximum-likelihood share of examples that only the first has right: a q^2 + b q + c = 0.
    const double a = 2 * n_;
    const double b = (2 * n_ + first_ - second_) * difference - first_ - second_;
    const double c = -first_ * difference * (1 - difference);
    const double q = (std::sqrt(std::max(0.0, b * b - 4 * a * c)) - b) / (2 * a);
    return 2 * q + difference * (1 - difference);
  }

  double z_ = critical_value();
  double first_, second_;
  double n_;
};

/// Returns the last accepted value between an accepted one and `outer`, by bisection.
double edge(const ScoreTest& test, double accepted, double outer) {
  if (test.accepts(outer)) return outer;
  for (int halving = 0; halving < 60; ++halving) {
    const double middle = (accepted + outer) / 2;
    (test.accepts(middle) ? accepted : outer) = middle;
  }
  return accepted;
}

}  // namespace

Spread spread_of(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  Spread spread;
  if (!values.empty()) spread.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - spread.mean) * (value - spread.mean);
  if (values.size() > 1) spread.deviation = std::sqrt(squares / (n - 1));
  return spread;
}

Interval share_interval(std::int64_t successes, std::int64_t trials) {
  if (trials == 0) return {0, 1};
  const double z = critical_value();
  const auto n = static_cast<double>(trials);
  const double share = static_cast<double>(successes) / n;
  const double centre = share + z * z / (2 * n);
  const double half = z * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  const double scale = 1 + z * z / n;
  return {std::max(0.0, (centre - half) / scale), std::min(1.0, (centre + half) / scale)};
}

PairedComparison compare(std::span<const std::uint8_t> first,
                         std::span<const std::uint8_t> second) {
  if (first.size() != second.size()) {
    throw user_error("compare",
                     "{} answers of one classifier and {} of the other: give equal numbers",
                     first.size(), second.size());
  }
  PairedComparison result;
  for (std::size_t i = 0; i < first.size(); ++i) {
    result.only_first += first[i] > second[i];
    result.only_second += second[i] > first[i];
  }
  if (first.empty()) return result;
  result.difference = static_cast<double>(result.only_second - result.only_first) /
                      static_cast<double>(first.size());
  result.p_value = mcnemar(result.only_first, result.only_second);
  const ScoreTest test(result.only_first, result.only_second, first.size());
  result.interval = {edge(test, result.difference, -1), edge(test, result.difference, 1)};
  // The exact test rejects 0 less often than the score test, so at most 0 is missing.
  if (result.may_be_chance()) {
    result.interval.low = std::min(0.0, result.interval.low);
    result.interval.high = std::max(0.0, result.interval.high);
  }
  return result;
}

}  // namespace sluice

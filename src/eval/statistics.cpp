#include <algorithm>
#include <array>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

#include "base/parallel.h"
#include "base/random.h"
#include "sluice/evaluation.h"

namespace sluice {

namespace {

constexpr double kTail = 0.025;  ///< on either side of an interval
constexpr int kResamples = 10000;

/// The sum of `count` values drawn from them with replacement.
int resampled_sum(const std::vector<std::int8_t>& values, std::uint64_t seed,
                  std::uint32_t resample) {
  constexpr std::size_t kCalls = 64;
  const RandomStream random(seed, Purpose::bootstrap, 0, resample);
  const auto n = static_cast<std::uint32_t>(values.size());
  std::array<std::uint32_t, 4 * kCalls> bits;
  int sum = 0;
  for (std::uint32_t first = 0; first < n; first += bits.size()) {
    random.fill(first / 4, kCalls, bits.data());
    const std::uint32_t count = std::min<std::uint32_t>(bits.size(), n - first);
    for (std::uint32_t i = 0; i < count; ++i) sum += values[RandomStream::below(bits[i], n)];
  }
  return sum;
}

/// The percentile by linear interpolation, as NumPy's.
double percentile(const std::vector<int>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

Interval bootstrap_interval(const std::vector<std::int8_t>& values, std::uint64_t seed) {
  std::vector<int> sums(kResamples);
  parallel_for(sums.size(), 100, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      sums[i] = resampled_sum(values, seed, static_cast<std::uint32_t>(i));
    }
  });
  std::ranges::sort(sums);
  const auto n = static_cast<double>(values.size());
  return {percentile(sums, kTail) / n, percentile(sums, 1 - kTail) / n};
}

double mcnemar(std::int64_t only_first, std::int64_t only_second) {
  const auto trials = static_cast<double>(only_first + only_second);
  if (trials == 0) return 1;
  const boost::math::binomial_distribution<double> even(trials, 0.5);
  return std::min(1.0, 2 * cdf(even, static_cast<double>(std::min(only_first, only_second))));
}

}  // namespace

Interval share_interval(std::int64_t successes, std::int64_t trials) {
  const double z = quantile(boost::math::normal_distribution<double>(), 1 - kTail);
  const auto n = static_cast<double>(trials);
  const double share = static_cast<double>(successes) / n;
  const double centre = share + z * z / (2 * n);
  const double half = z * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  const double scale = 1 + z * z / n;
  return {std::max(0.0, (centre - half) / scale), std::min(1.0, (centre + half) / scale)};
}

PairedComparison compare(std::span<const std::uint8_t> first, std::span<const std::uint8_t> second,
                         std::uint64_t seed) {
  PairedComparison result;
  std::vector<std::int8_t> differences(first.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    differences[i] = static_cast<std::int8_t>(second[i] - first[i]);
    result.only_first += differences[i] < 0;
    result.only_second += differences[i] > 0;
  }
  if (differences.empty()) return result;
  result.difference = static_cast<double>(result.only_second - result.only_first) /
                      static_cast<double>(first.size());
  result.interval = bootstrap_interval(differences, seed);
  result.p_value = mcnemar(result.only_first, result.only_second);
  return result;
}

}  // namespace sluice

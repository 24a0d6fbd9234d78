#include "sluice/lab/frontier.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <functional>

#include "base/fail.h"
#include "base/text.h"
#include "sluice/lab/verdict.h"

namespace sluice {

namespace {

constexpr double kConfidence = 0.975;  // of each side of an interval at 95%

template <class Figure>
double mean_of(const std::vector<FrontierPoint::Seed>& seeds, const Figure& figure) {
  double sum = 0;
  for (const FrontierPoint::Seed& seed : seeds) sum += std::invoke(figure, seed);
  return seeds.empty() ? 0 : sum / static_cast<double>(seeds.size());
}

/// Standard error of the mean of a sample.
double standard_error(const std::vector<double>& values) {
  return spread_of(values).deviation / std::sqrt(static_cast<double>(values.size()));
}

/// A mean with the distribution of its error.
struct MeanTest {
  double half_interval;
  double p_value;  ///< two-sided, for a true mean of 0
};

template <class Distribution>
MeanTest tested(const Distribution& distribution, double mean, double error) {
  if (error == 0) return {0, mean == 0 ? 1.0 : 0.0};
  return {quantile(distribution, kConfidence) * error,
          2 * cdf(complement(distribution, std::abs(mean) / error))};
}

/// Of the mean of a sample of at least two.
MeanTest students(const std::vector<double>& values) {
  const boost::math::students_t_distribution<double> student(
      static_cast<double>(values.size() - 1));
  return tested(student, spread_of(values).mean, standard_error(values));
}

/// The mean over the seeds of each image's difference.
std::vector<double> by_image(const FrontierPoint& first, const FrontierPoint& second) {
  std::vector<double> all(first.seeds.front().right.size());
  for (std::size_t s = 0; s < first.seeds.size(); ++s) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i] += (first.seeds[s].right[i] - second.seeds[s].right[i]) /
                static_cast<double>(first.seeds.size());
    }
  }
  return all;
}

/// Whether a dense point needs at most the mixture's work. A rounding error decides nothing.
bool is_affordable(const FrontierPoint& dense, const FrontierPoint& mixture) {
  constexpr double kRoom = 1 + 1e-9;
  return dense.flops <= mixture.flops * kRoom &&
         dense.training_flops <= mixture.training_flops * kRoom;
}

/// Where the line through dense networks of one view and the mixture's training work, from the
/// cheapest to the dearest, reaches an accuracy; linear over the logarithm of their operations.
std::optional<double> flops_for(double accuracy, const std::vector<FrontierPoint>& points) {
  std::vector<std::pair<double, double>> line;  // operations, accuracy
  for (const FrontierPoint& point : points) {
    const bool is_of_line = point.kind == FrontierPoint::Kind::dense && point.views == "one";
    if (is_of_line) line.emplace_back(point.flops, point.test());
  }
  std::ranges::sort(line);
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i].second < accuracy) continue;
    if (i == 0) return line[0].first;
    const auto [low, below] = line[i - 1];
    const auto [high, above] = line[i];
    return low * std::pow(high / low, (accuracy - below) / (above - below));
  }
  return std::nullopt;
}

}  // namespace

double training_flops(const Lab& lab, const Stage& stage) {
  const Cost cost =
      std::visit([](const auto& model) { return cost_of(model); }, lab.model_of(stage));
  return cost.training_flops * stage.epochs * static_cast<double>(lab.images_of(stage));
}

double training_flops(const Lab& lab) {
  double sum = 0;
  for (const Stage& stage : lab.stages()) {
    if (!stage.is_control()) sum += training_flops(lab, stage);
  }
  return sum;
}

double FrontierPoint::Seed::test() const {
  return spread_of(std::vector<double>(right.begin(), right.end())).mean;
}

double FrontierPoint::validation() const {
  return mean_of(seeds, &Seed::validation);
}

double FrontierPoint::test() const {
  return mean_of(seeds, &Seed::test);
}

Interval FrontierPoint::test_interval() const {
  std::vector<double> accuracies;
  for (const Seed& seed : seeds) accuracies.push_back(seed.test());
  if (seeds.size() < 2) return {test(), test()};
  const double half = students(accuracies).half_interval;
  return {test() - half, test() + half};
}

double FrontierPoint::test_flops() const {
  return mean_of(seeds, &Seed::flops);
}

double FrontierPoint::latency_ms() const {
  return mean_of(seeds, &Seed::latency_ms);
}

int FrontierDifference::same_sign() const {
  return static_cast<int>(std::ranges::count_if(
      by_seed, [&](const PairedComparison& seed) { return seed.difference * difference > 0; }));
}

FrontierDifference compare(const FrontierPoint& first, const FrontierPoint& second) {
  if (first.seeds.empty() || first.seeds.size() != second.seeds.size()) {
    throw user_error("frontier", "'{}' has {} seeds and '{}' has {}: give equal numbers",
                     first.words, first.seeds.size(), second.words, second.seeds.size());
  }
  FrontierDifference result;
  std::vector<double> differences;
  for (std::size_t s = 0; s < first.seeds.size(); ++s) {
    result.by_seed.push_back(compare(second.seeds[s].right, first.seeds[s].right));
    differences.push_back(result.by_seed.back().difference);
  }
  result.difference = spread_of(differences).mean;
  if (differences.size() == 1) {
    result.interval = result.by_seed.front().interval;
    result.p_value = result.by_seed.front().p_value;
    return result;
  }
  result.standard_error = standard_error(differences);
  const boost::math::normal_distribution<double> normal;
  const MeanTest seeds = students(differences);
  const MeanTest images =
      tested(normal, result.difference, standard_error(by_image(first, second)));
  const double half = std::max(seeds.half_interval, images.half_interval);
  result.interval = {result.difference - half, result.difference + half};
  result.p_value = std::max(seeds.p_value, images.p_value);
  return result;
}

FrontierVerdict judge(const std::vector<FrontierPoint>& points) {
  if (points.empty() || points.front().seeds.empty()) {
    throw user_error("frontier", "there is no mixture: train one");
  }
  const FrontierPoint& mixture = points.front();
  FrontierVerdict verdict;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const FrontierPoint& point = points[i];
    if (point.kind == FrontierPoint::Kind::random) verdict.over_random = compare(mixture, point);
    if (point.kind != FrontierPoint::Kind::dense || !is_affordable(point, mixture)) continue;
    const bool is_better =
        verdict.rival < 0 ||
        point.validation() > points[static_cast<std::size_t>(verdict.rival)].validation();
    if (is_better) verdict.rival = static_cast<int>(i);
  }
  if (verdict.rival >= 0) {
    verdict.over_rival = compare(mixture, points[static_cast<std::size_t>(verdict.rival)]);
  }
  verdict.dense_flops = flops_for(mixture.test(), points);
  return verdict;
}

std::string sentence(const std::vector<FrontierPoint>& points, const FrontierVerdict& verdict) {
  const FrontierPoint& mixture = points.front();
  const std::string at = "At " + mega_text(mixture.test_flops()) + " MFLOP an image ";
  if (!verdict.over_rival) {
    return at + "the mixture needs less work than every dense network of the sweep: add smaller " +
           "widths to compare it with.";
  }
  const FrontierDifference& found = *verdict.over_rival;
  const FrontierPoint& rival = points[static_cast<std::size_t>(verdict.rival)];
  const std::string seeds =
      found.by_seed.size() == 1
          ? "one seed"
          : fmt::format("{} of {} seeds", found.same_sign(), found.by_seed.size());
  std::string text = fmt::format(
      "{}the mixture is {} {} the best dense network ({}, {} MFLOP){}: {}, {}, 95% interval "
      "{} to {}.",
      at, points_text(found.difference), found.difference < 0 ? "below" : "above", rival.words,
      mega_text(rival.test_flops()), found.may_be_chance() ? ", which may be chance" : "",
      p_value_text(found.p_value), seeds, signed_points(found.interval.low),
      signed_points(found.interval.high));
  if (found.difference <= 0 || found.may_be_chance()) return text;
  if (verdict.dense_flops && *verdict.dense_flops > mixture.flops) {
    text += " A dense one needs " + mega_text(*verdict.dense_flops) + " MFLOP for its accuracy.";
  } else if (!verdict.dense_flops) {
    text += " No dense one of the sweep reaches its accuracy.";
  }
  return text;
}

}  // namespace sluice

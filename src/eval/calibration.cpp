#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/fail.h"
#include "eval/outputs.h"
#include "sluice/evaluation.h"

namespace sluice {

Calibration calibration(std::span<const float> scores, std::span<const int> labels, int bins) {
  constexpr double kLeast = 1e-7;
  if (bins < 1) throw user_error("evaluate", "{} bins: give at least 1", bins);
  require_scores(scores, labels);
  Calibration result;
  result.bins.resize(bins);
  const std::size_t classes = scores.size() / std::max<std::size_t>(1, labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::span<const float> own = scores.subspan(i * classes, classes);
    const double sum = std::accumulate(own.begin(), own.end(), 0.0);
    const int answer = predicted_class(own);
    const double confidence = own[answer] / sum;
    result.log_loss -= std::log(std::max(own[labels[i]] / sum, kLeast));
    const int last = bins - 1;
    const int bin = std::clamp(static_cast<int>(std::ceil(confidence * bins)) - 1, 0, last);
    ++result.bins[bin].examples;
    result.bins[bin].confidence += confidence;
    result.bins[bin].accuracy += answer == labels[i];
  }
  const auto n = static_cast<double>(std::max<std::size_t>(1, labels.size()));
  result.log_loss /= n;
  for (Calibration::Bin& bin : result.bins) {
    if (bin.examples == 0) continue;
    result.ece += std::abs(bin.accuracy - bin.confidence) / n;
    bin.confidence /= static_cast<double>(bin.examples);
    bin.accuracy /= static_cast<double>(bin.examples);
  }
  return result;
}

}  // namespace sluice

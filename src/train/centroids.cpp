#include <algorithm>
#include <limits>
#include <vector>

#include "base/random.h"
#include "graph/weights.h"
#include "sluice/trainer.h"
#include "train/first_values.h"

namespace sluice {

namespace {

/// k-means by Lloyd's algorithm, which begins as k-means++ (Arthur and Vassilvitskii 2007). Sums
/// are in the order of the points, so that the bits do not depend on the number of threads.
class KMeans {
 public:
  KMeans(const std::vector<float>& points, std::size_t size, std::size_t count)
      : points_(points), size_(size), nearest_(points.size() / size) {
    distances_.assign(nearest_.size(), std::numeric_limits<double>::infinity());
    const RandomStream random(0, Purpose::weights, 0, 0);
    for (std::size_t c = 0; c < count; ++c) {
      const double share = RandomStream::unit(random.bits(static_cast<std::uint32_t>(c))[0]);
      const std::size_t chosen = c == 0 ? 0 : at_share(share);
      const auto first = points_.begin() + static_cast<std::ptrdiff_t>(chosen * size_);
      centroids_.emplace_back(first, first + static_cast<std::ptrdiff_t>(size_));
      assign(c);
    }
  }

  void run() {
    constexpr int kMostRounds = 100;
    for (int round = 0; round < kMostRounds; ++round) {
      const std::vector<std::size_t> before = nearest_;
      move();
      distances_.assign(nearest_.size(), std::numeric_limits<double>::infinity());
      for (std::size_t c = 0; c < centroids_.size(); ++c) assign(c);
      if (nearest_ == before) return;
    }
  }

  const std::vector<std::vector<double>>& centroids() const { return centroids_; }

  /// Of the points, to their centroids, squared.
  double mean_distance() const { return sum_of_distances() / static_cast<double>(nearest_.size()); }

 private:
  double sum_of_distances() const {
    double sum = 0;
    for (const double each : distances_) sum += each;
    return sum;
  }

  /// The point at which the sum of the distances up to it reaches a share of their sum.
  std::size_t at_share(double share) const {
    double left = share * sum_of_distances();
    for (std::size_t i = 0; i < distances_.size(); ++i) {
      left -= distances_[i];
      if (left < 0) return i;
    }
    return distances_.size() - 1;
  }

  /// Gives the points that are nearest to a centroid to it.
  void assign(std::size_t centroid) {
    for (std::size_t i = 0; i < nearest_.size(); ++i) {
      double distance = 0;
      for (std::size_t d = 0; d < size_; ++d) {
        const double difference = points_[i * size_ + d] - centroids_[centroid][d];
        distance += difference * difference;
      }
      if (distance >= distances_[i]) continue;
      distances_[i] = distance;
      nearest_[i] = centroid;
    }
  }

  /// Moves each centroid to the mean of its points; one without points stays.
  void move() {
    std::vector<std::vector<double>> sums(centroids_.size(), std::vector<double>(size_));
    std::vector<std::size_t> counts(centroids_.size());
    for (std::size_t i = 0; i < nearest_.size(); ++i) {
      ++counts[nearest_[i]];
      for (std::size_t d = 0; d < size_; ++d) sums[nearest_[i]][d] += points_[i * size_ + d];
    }
    for (std::size_t c = 0; c < centroids_.size(); ++c) {
      if (counts[c] == 0) continue;
      for (std::size_t d = 0; d < size_; ++d) {
        centroids_[c][d] = sums[c][d] / static_cast<double>(counts[c]);
      }
    }
  }

  const std::vector<float>& points_;
  std::size_t size_;  ///< of a point
  std::vector<std::vector<double>> centroids_;
  std::vector<std::size_t> nearest_;  ///< by point
  std::vector<double> distances_;     ///< to these, squared
};

}  // namespace

void set_centroids(const Sequential& model, const Examples& examples, Weights& weights) {
  for_each_kernel(model, weights, Initializer::centroids, [&](const auto& tensor, int source) {
    std::vector<float> points;
    see_first_values(model, weights, source, examples, [&](std::span<const float> values) {
      points.insert(points.end(), values.begin(), values.end());
    });
    const auto size = static_cast<std::size_t>(tensor.shape[0]);
    const auto count = static_cast<std::size_t>(tensor.shape[1]);
    KMeans means(points, size, count);
    means.run();
    // -|x - c|^2 is 2 x c - |c|^2, and a value that all centroids have alike.
    const double scale = 1 / std::max(means.mean_distance(), 1e-30);
    const std::span<float> kernel = weights.values(tensor);
    const std::span<float> bias = weights.values(tensor_of(weights, tensor.layer, "bias"));
    for (std::size_t c = 0; c < count; ++c) {
      const std::vector<double>& centroid = means.centroids()[c];
      double square = 0;
      for (std::size_t d = 0; d < size; ++d) {
        square += centroid[d] * centroid[d];
        kernel[d * count + c] = static_cast<float>(2 * scale * centroid[d]);
      }
      bias[c] = static_cast<float>(-scale * square);
    }
  });
}

}  // namespace sluice

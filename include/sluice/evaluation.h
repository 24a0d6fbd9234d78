#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/network.h"

namespace [[gnu::visibility("default")]] sluice {

/// How often a true class (row) was called each class (column). Throws Error (user) for a class
/// that it does not have.
class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(std::vector<std::string> class_names = {});

  void add(int truth, int prediction) { ++counts_[cell(truth, prediction)]; }

  int classes() const { return static_cast<int>(class_names_.size()); }
  const std::vector<std::string>& class_names() const { return class_names_; }
  std::int64_t count(int truth, int prediction) const { return counts_[cell(truth, prediction)]; }
  /// How many examples of a true class there were.
  std::int64_t support(int truth) const;
  std::int64_t total() const;
  /// The share of examples on the diagonal; 0 where there are none.
  double accuracy() const;

 private:
  std::size_t cell(int truth, int prediction) const;

  std::vector<std::string> class_names_;
  std::vector<std::int64_t> counts_;
};

struct Evaluation {
  ConfusionMatrix confusion;
  double accuracy = 0;
  double loss = 0;     ///< categorical cross-entropy, mean over the examples, as Keras's evaluate()
  double seconds = 0;  ///< of the forward passes
  double images_per_second = 0;
};

/// Predicts every example, in batches of the model's max_batch(). Throws Error (user) if there is
/// no example, or they are not of the model's input and classes.
Evaluation evaluate(CompiledModel& model, const Examples& examples);

/// Per class and in the mean what scikit-learn's classification_report() has. What would divide by
/// zero is 0.
struct ClassificationReport {
  struct Row {
    double precision = 0;  ///< TP / (TP + FP)
    double recall = 0;     ///< TP / (TP + FN)
    double f1 = 0;         ///< their harmonic mean
    std::int64_t support = 0;
  };

  std::vector<Row> classes;  ///< by label
  Row macro;                 ///< the mean over classes
  Row weighted;              ///< the mean over examples
};
ClassificationReport classification_report(const ConfusionMatrix& confusion);

// How far a figure can be trusted. All intervals are of 95%.

struct Interval {
  double low = 0;
  double high = 0;
};

/// Of a share: Wilson's score interval (Wilson 1927). Needs 0 <= successes <= trials; 0 to 1
/// without trials.
Interval share_interval(std::int64_t successes, std::int64_t trials);

/// Two classifiers on the same examples.
struct PairedComparison {
  std::int64_t only_first = 0;   ///< examples that the first alone has right
  std::int64_t only_second = 0;  ///< that the second alone has right
  double difference = 0;         ///< accuracy of the second less that of the first
  /// Of the difference: all values that a test at 5% does not reject. 0 is tested by McNemar's
  /// exact test, any other value by Tango's score test (Tango 1998). So 0 is in the interval
  /// exactly where may_be_chance(). docs/statistics.md has its coverage.
  Interval interval{-1, 1};
  /// McNemar's exact test, two-sided (McNemar 1947): how often two equally good classifiers would
  /// differ by as much.
  double p_value = 1;

  bool may_be_chance() const { return p_value >= 0.05; }
};

/// Whether each of the same examples was classified right (1) or not (0), by either. Throws Error
/// (user) if there are not as many of both.
PairedComparison compare(std::span<const std::uint8_t> first, std::span<const std::uint8_t> second);

/// How well scores do as probabilities. Those of an example are first divided by their sum.
struct Calibration {
  /// Examples by how sure the classifier was of its answer: of equal widths, the upper edge
  /// belonging to each.
  struct Bin {
    std::int64_t examples = 0;
    double confidence = 0;  ///< mean
    double accuracy = 0;
  };

  double log_loss = 0;  ///< mean of -log of the true class's probability, at least 1e-7
  double ece = 0;       ///< expected calibration error over the bins (Guo et al. 2017)
  std::vector<Bin> bins;
};

/// scores: (labels.size(), classes), none negative, not all zero for an example. Throws Error
/// (user) for other sizes, a label outside, or fewer than 1 bin.
Calibration calibration(std::span<const float> scores, std::span<const int> labels, int bins = 15);

}  // namespace sluice

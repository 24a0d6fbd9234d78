#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/network.h"

#pragma GCC visibility push(default)

namespace sluice {

/// Counts of examples by true class (row) and predicted class (column). Members throw Error (user)
/// for a class that does not exist.
class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(std::vector<std::string> class_names = {});

  void add(int truth, int prediction) { ++counts_[cell(truth, prediction)]; }

  int classes() const { return static_cast<int>(class_names_.size()); }
  const std::vector<std::string>& class_names() const { return class_names_; }
  std::int64_t count(int truth, int prediction) const { return counts_[cell(truth, prediction)]; }
  /// Number of examples of a true class.
  std::int64_t support(int truth) const;
  std::int64_t total() const;
  /// Share of examples on the diagonal; 0 without examples.
  double accuracy() const;

 private:
  std::size_t cell(int truth, int prediction) const;

  std::vector<std::string> class_names_;
  std::vector<std::int64_t> counts_;
};

/// How many examples each expert of a layer took. The kernels of a CondConv2D take parts of each
/// example: their weights in its mix.
struct ExpertUse {
  /// Of one true class, or of all.
  struct Count {
    double taken = 0;
    double right = 0;  ///< of these, classified correctly by the whole model
  };

  std::string layer;
  std::vector<std::string> experts;  ///< names; of kernels their numbers
  std::vector<Count> counts;         ///< (classes, experts)
  std::int64_t examples = 0;
  bool mixed = false;  ///< kernels of a CondConv2D

  const Count& of(int true_class, std::size_t expert) const {
    return counts[static_cast<std::size_t>(true_class) * experts.size() + expert];
  }
  Count of_all(std::size_t expert) const;
};

/// Experts that took less than a tenth of what they would if all of their layer took equally many:
/// numbers of them. A layer with one expert has none.
std::vector<std::size_t> starved_experts(const ExpertUse& use);

struct Evaluation {
  ConfusionMatrix confusion;
  double accuracy = 0;
  double loss = 0;     ///< mean categorical cross-entropy, as Keras's evaluate()
  double seconds = 0;  ///< for the forward passes
  double images_per_second = 0;
  /// By layer of experts or of mixed kernels, for one view of each example.
  std::vector<ExpertUse> experts = {};
};

/// Returns the largest batch for throughput in inference: 256 for images of 32x32x3, fewer for
/// larger ones, whose activations need more memory, and at least 8.
int throughput_batch(const Shape& input);

/// Views of each image that a prediction combines. The outputs are geometric means of the views'
/// outputs, divided by their sum: of a softmax that is the softmax of the mean logits.
enum class Views {
  one,           ///< the image only
  mirror,        ///< and its mirror image
  mirror_shift,  ///< half of the weight; the other half has both, shifted by a pixel along both
                 ///< axes in both directions, with reflected edges (KellerJordan/cifar10-airbench)
};

/// "one", "mirror", "mirror+shift"
std::string to_string(Views views);

/// Predicts every example, in batches of the model's max_batch(). Throws Error (user) if there are
/// no examples, or if they do not fit the model's input and classes.
Evaluation evaluate(CompiledModel& model, const Examples& examples, Views views = Views::one);

/// Precision, recall and F1 of each class and their means, as scikit-learn's
/// classification_report(). A ratio with denominator 0 is 0.
struct ClassificationReport {
  struct Row {
    double precision = 0;  ///< TP / (TP + FP)
    double recall = 0;     ///< TP / (TP + FN)
    double f1 = 0;         ///< harmonic mean of both
    std::int64_t support = 0;
  };

  std::vector<Row> classes;  ///< by label
  Row macro;                 ///< mean over classes
  Row weighted;              ///< mean over examples
};
ClassificationReport classification_report(const ConfusionMatrix& confusion);

/// Figures beside the accuracy, which rare classes hardly change.
struct ClassBalance {
  /// Mean recall of the classes that have examples, as scikit-learn's balanced_accuracy_score().
  double balanced_accuracy = 0;
  double macro_f1 = 0;  ///< mean F1 of the same classes
  double largest_share =
      0;  ///< of the class with the most examples: the accuracy of naming it always
  /// Whether the largest class has 1.5 times an even share or more, so that the accuracy misleads.
  bool is_uneven = false;
};
ClassBalance class_balance(const ConfusionMatrix& confusion);

/// Returns "balanced accuracy 50.0%, macro F1 0.462; the largest class has 85.7% of the images".
std::string balance_in_words(const ClassBalance& balance);

// Uncertainty of figures. All intervals have a level of 95%.

struct Interval {
  double low = 0;
  double high = 0;
};

struct Spread {
  double mean = 0;
  double deviation = 0;  ///< standard deviation of the sample, with n - 1; 0 of one value
};
Spread spread_of(std::span<const double> values);

/// Returns Wilson's score interval of a share (Wilson 1927). Needs 0 <= successes <= trials;
/// without trials it is 0 to 1.
Interval share_interval(std::int64_t successes, std::int64_t trials);

/// Comparison of two classifiers on the same examples.
struct PairedComparison {
  std::int64_t only_first = 0;   ///< examples that only the first classifies correctly
  std::int64_t only_second = 0;  ///< examples that only the second does
  double difference = 0;         ///< accuracy of the second minus the first
  /// Interval of the difference: all values that a test at 5% does not reject. McNemar's exact test
  /// tests 0, Tango's score test (Tango 1998) all other values. Therefore 0 is in the interval if
  /// and only if may_be_chance(). docs/statistics.md has its coverage.
  Interval interval{-1, 1};
  /// McNemar's exact test, two-sided (McNemar 1947): the probability that two equally good
  /// classifiers differ by at least as much.
  double p_value = 1;

  bool may_be_chance() const { return p_value >= 0.05; }
};

/// Compares two classifiers. Both spans have a value for each example: 1 if it is classified
/// correctly, else 0. Throws Error (user) if their sizes differ.
PairedComparison compare(std::span<const std::uint8_t> first, std::span<const std::uint8_t> second);

/// Calibration of scores as probabilities. The scores of an example are divided by their sum first.
struct Calibration {
  /// Examples whose confidence, the probability of the predicted class, is in one interval. Bins
  /// have equal widths, and each includes its upper edge.
  struct Bin {
    std::int64_t examples = 0;
    double confidence = 0;  ///< mean
    double accuracy = 0;
  };

  double log_loss = 0;  ///< mean of -log(p) of the true class, p at least 1e-7
  double ece = 0;       ///< expected calibration error over the bins (Guo et al. 2017)
  std::vector<Bin> bins;
};

/// Needs scores (labels.size(), classes): none negative, and not all 0 for an example. Throws Error
/// (user) for other sizes, a label out of range, or less than 1 bin.
Calibration calibration(std::span<const float> scores, std::span<const int> labels, int bins = 15);

}  // namespace sluice

#pragma GCC visibility pop

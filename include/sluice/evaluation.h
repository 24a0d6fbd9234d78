#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/network.h"

namespace sluice {

/// How often a true class (row) was called each class (column).
class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(std::vector<std::string> class_names = {});

  void add(int truth, int prediction) { ++counts_[truth * classes() + prediction]; }

  int classes() const { return static_cast<int>(class_names_.size()); }
  const std::vector<std::string>& class_names() const { return class_names_; }
  std::int64_t count(int truth, int prediction) const {
    return counts_[truth * classes() + prediction];
  }
  /// How many examples of a true class there were.
  std::int64_t support(int truth) const;
  std::int64_t total() const;
  /// The share of examples on the diagonal; 0 where there are none.
  double accuracy() const;

 private:
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

/// Predicts every example, in batches of the model's max_batch().
Evaluation evaluate(CompiledModel& model, const Examples& examples);

}  // namespace sluice

#pragma once

#include <cstdint>
#include <vector>

#include "sluice/evaluation.h"

namespace sluice {

/// The classes that occur or were predicted, by label. The others (of another group, for an expert
/// judged on its own classes) would be empty rows and columns.
std::vector<int> seen_classes(const ConfusionMatrix& confusion);

/// The share of a true class that was recognised; 0 where it does not occur.
double recall(const ConfusionMatrix& confusion, int truth);

struct ConfusedPair {
  int truth;
  int prediction;
  std::int64_t count;
};

/// The most frequent mistakes, the worst first; equal ones in the order of the matrix.
std::vector<ConfusedPair> most_confused(const ConfusionMatrix& confusion, std::size_t at_most);

}  // namespace sluice

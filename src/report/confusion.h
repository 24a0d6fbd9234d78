#pragma once

#include <cstdint>
#include <vector>

#include "sluice/evaluation.h"

namespace sluice {

/// Returns the labels of classes that occur or were predicted. The others (another group's classes,
/// for an expert evaluated on its own) would be empty rows and columns.
std::vector<int> seen_classes(const ConfusionMatrix& confusion);

/// Returns TP / (TP + FN) of a true class; 0 if it does not occur.
double recall(const ConfusionMatrix& confusion, int truth);

struct ConfusedPair {
  int truth;
  int prediction;
  std::int64_t count;
};

/// Returns the most confused pairs, most frequent first; equal ones in the order of the matrix.
std::vector<ConfusedPair> most_confused(const ConfusionMatrix& confusion, std::size_t at_most);

}  // namespace sluice

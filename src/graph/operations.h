#pragma once

#include <vector>

#include "graph/operation.h"

namespace sluice {

/// An operation of a model: where it belongs and what it takes.
struct PlacedOperation {
  Operation operation;
  std::size_t layer;         ///< by its place in the model
  Shape input;               ///< of its layer, the first one, for one image
  Shape output;              ///< likewise
  std::vector<int> sources;  ///< numbers of operations before it, or kImages
  int consumers = 0;         ///< number of operations that take its result
};

/// The operations of all layers; the last one's result is the model's. Throws Error (user) as
/// summarize() does.
std::vector<PlacedOperation> operations_of(const Sequential& model);

}  // namespace sluice

#pragma once

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "ops/op.h"
#include "runtime/experts.h"
#include "sluice/network.h"

namespace sluice {

/// An op, and how it is connected.
struct LayerOp {
  std::size_t layer;         ///< that it is a part of, by its place in the model
  std::vector<int> sources;  ///< numbers of the ops whose results it takes, or kImages
  std::unique_ptr<ops::Op> op;
};

/// Experts of a network by the number of their layer.
using ExpertsByLayer = std::map<std::size_t, std::unique_ptr<Experts>>;

/// The ops that do the work of a model's layers, in order, for one batch size, that of `images`.
/// With `plain_output` the result has Keras's order of values. The first call, which must be for
/// the largest batch, makes the experts, and all batch sizes use them.
std::vector<LayerOp> build_ops(ops::Plan& plan, const Sequential& model,
                               const PlacedWeights& weights, const dnnl::memory& images,
                               bool plain_output, ExpertsByLayer& experts);

}  // namespace sluice

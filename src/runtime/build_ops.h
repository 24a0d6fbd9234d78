#pragma once

#include <memory>
#include <span>
#include <vector>

#include "ops/op.h"
#include "sluice/network.h"

namespace sluice {

/// An op, and how it is connected.
struct LayerOp {
  std::size_t layer;         ///< that it is a part of, by its place in the model
  std::vector<int> sources;  ///< numbers of the ops whose results it takes, or kImages
  std::unique_ptr<ops::Op> op;
};

/// The ops that do the work of a model's layers, in order, for one batch size. `gradients` is as
/// long as weights.trained(), or empty for a network that is not trained. `input` holds (batch,
/// model.input).
std::vector<LayerOp> build_ops(ops::Plan& plan, const Sequential& model, const Weights& weights,
                               std::span<float> gradients, int batch, float* input);

}  // namespace sluice

#pragma once

#include <memory>
#include <span>
#include <vector>

#include "ops/op.h"
#include "sluice/network.h"

namespace sluice {

/// An operation and the layer, by its place in the model, that it is a part of.
struct LayerOp {
  std::size_t layer;
  std::unique_ptr<ops::Op> op;
};

/// The ops that do the work of a model's layers, in order, for one batch size. `gradients` is as
/// long as weights.trained(), or empty for a network that is not trained. `input` holds (batch,
/// model.input).
std::vector<LayerOp> build_ops(ops::Plan& plan, const Sequential& model, const Weights& weights,
                               std::span<float> gradients, int batch, float* input);

}  // namespace sluice

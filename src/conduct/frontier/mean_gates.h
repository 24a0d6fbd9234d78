#pragma once

#include "sluice/dataset.h"
#include "sluice/network.h"

namespace sluice {

/// Returns the weights with which every CondConv2D mixes the same kernel for all images, by the
/// mean of its gate over `images`.
Weights with_mean_gates(const Sequential& model, const Weights& weights, const Examples& images,
                        const CompileOptions& options);

}  // namespace sluice

#pragma once

#include <variant>

#include "sluice/layers.h"

namespace sluice {

/// Operations that layers consist of. The compiled network, the reference network and the ONNX
/// export each visit Operation, and do not compile until they know every one of them. An operation
/// with parameters takes the next tensors of its layer, in their order.
namespace operation {

/// Square kernel, stride 1, 'same' padding. Takes a kernel {size, size, in, filters} and a bias.
struct Convolution {
  int filters;
  int kernel_size;
};

/// Takes a kernel {in, units} and a bias.
struct InnerProduct {
  int units;
};

/// Stride equal to the size, 'valid' padding.
struct MaxPooling {
  int size;
};

/// Does nothing at inference.
struct Dropout {
  float rate;
};

struct Flatten {};

struct Reshape {
  Shape target;
};

/// Softmax is over the last axis.
struct Activate {
  Activation function;
};

// Of several values.

struct Add {};
struct Multiply {};

/// Along the last axis.
struct Concatenate {};

}  // namespace operation

using Operation =
    std::variant<operation::Convolution, operation::InnerProduct, operation::MaxPooling,
                 operation::Dropout, operation::Flatten, operation::Reshape, operation::Activate,
                 operation::Add, operation::Multiply, operation::Concatenate>;

}  // namespace sluice

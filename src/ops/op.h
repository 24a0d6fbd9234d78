#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/workspace.h"
#include "onednn/tensor.h"
#include "sluice/shape.h"

namespace sluice::ops {

/// State that operations share while a network is planned for one batch size.
struct Plan {
  onednn::Context& context;
  Workspace& workspace;
  bool training;          ///< a backward pass will be planned
  bool winograd = false;  ///< use it if a convolution supports it
  /// Two buffers for gradients of activations alternate: only one operation reads each gradient.
  float* gradients[2] = {nullptr, nullptr};
  int turn = 0;  ///< of the activations' two buffers, if no backward pass reads them

  /// Allocates an operation's result.
  dnnl::memory take(const dnnl::memory::desc& desc) {
    if (training) return onednn::take(context, workspace, desc);
    turn = 1 - turn;
    Workspace& passing = context.passing(turn);
    passing.rewind();
    return onednn::take(context, passing, desc);
  }
  dnnl::memory take_gradient(const dnnl::memory::desc& desc) {
    std::swap(gradients[0], gradients[1]);
    return onednn::at(context, desc, gradients[0]);
  }
};

/// A layer's parameters and their gradients in Keras's shapes, inside larger blocks of memory.
struct Parameter {
  const float* values;
  float* gradients;  ///< null without training
};

enum class Phase { inference, training };

/// One pass over a network.
struct Pass {
  Phase phase = Phase::inference;
  int rows = 0;  ///< number of images; the rows of the batch after them are padding
  /// The number of the first image in the whole batch, where several passes or machines divide one.
  std::int64_t first_row = 0;
  // The random numbers of a training pass. Each dropout adds its own number to the stream.
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;
  std::uint32_t step = 0;
};

/// Formats the shape of one image as Keras does, for messages: "(32, 32, 3)".
inline std::string image_text(const dnnl::memory::dims& dims) {
  return dims.size() == 4 ? to_string(Shape{dims[2], dims[3], dims[1]}) : to_string(Shape{dims[1]});
}

/// An operation compiled for one batch size, with bound memory. Each constructor plans the forward
/// pass and throws Error if the shapes do not fit.
class Op {
 public:
  Op(const dnnl::memory& src, const dnnl::memory& dst) : src_(src), dst_(dst) {}
  virtual ~Op() = default;

  const dnnl::memory& src() const { return src_; }
  const dnnl::memory& dst() const { return dst_; }

  /// The backward pass ends at the network's first operation with parameters.
  virtual bool has_parameters() const { return false; }

  /// Returns diff_src, in the layout of src. Without `need_diff_src`, which only an operation with
  /// parameters supports, the result is empty and backward_data() must not be called. diff_dst has
  /// the layout of dst and may be overwritten.
  virtual dnnl::memory plan_backward(Plan& plan, const dnnl::memory& diff_dst,
                                     bool need_diff_src) = 0;

  /// Converts the parameters to the form that forward() reads. Call it before forward() after the
  /// parameters changed, or after another network used the same memory.
  virtual void load_parameters(onednn::Context&) {}
  virtual void forward(onednn::Context& context, const Pass& pass) = 0;
  /// Computes the gradients of the parameters, if any. Call it before backward_data().
  virtual void backward_weights(onednn::Context&) {}
  /// Computes the gradient of src, if it was planned.
  virtual void backward_data(onednn::Context& context) = 0;

  /// Name of the algorithm: "winograd", or oneDNN's name. Empty for an operation without a choice.
  virtual std::string algorithm() const { return {}; }

 protected:
  dnnl::memory src_;
  dnnl::memory dst_;
};

}  // namespace sluice::ops

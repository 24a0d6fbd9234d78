#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/workspace.h"
#include "onednn/tensor.h"
#include "sluice/shape.h"

namespace sluice::ops {

/// What operations share while a network is planned for one batch size.
struct Plan {
  onednn::Context& context;
  Workspace& workspace;
  bool training;          ///< a backward pass will be planned
  bool winograd = false;  ///< where a convolution allows it
  /// Gradients of activations live in two buffers in turn: each is read by one operation only.
  float* gradients[2] = {nullptr, nullptr};
  int turn = 0;  ///< of activations, likewise, if there is no backward pass to read them again

  /// Memory for an operation's result.
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

/// A layer's parameters and their gradients in Keras's shapes, inside larger blocks.
struct Parameter {
  const float* values;
  float* gradients;  ///< null for a network that is not trained
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

/// The shape of one image as Keras writes it, for messages: "(32, 32, 3)".
inline std::string image_text(const dnnl::memory::dims& dims) {
  return dims.size() == 4 ? to_string(Shape{dims[2], dims[3], dims[1]}) : to_string(Shape{dims[1]});
}

/// An operation compiled for one batch size, its memory bound. The constructor of each plans the
/// forward pass and throws Error if the shapes do not fit.
class Op {
 public:
  Op(const dnnl::memory& src, const dnnl::memory& dst) : src_(src), dst_(dst) {}
  virtual ~Op() = default;

  const dnnl::memory& src() const { return src_; }
  const dnnl::memory& dst() const { return dst_; }

  /// The gradients of a network end at its first operation that has parameters.
  virtual bool has_parameters() const { return false; }

  /// Returns diff_src, in the layout of src; without `need_diff_src`, which only an operation that
  /// has parameters may be told, the result is empty and backward_data() must not be called.
  /// diff_dst has the layout of dst and may be overwritten.
  virtual dnnl::memory plan_backward(Plan& plan, const dnnl::memory& diff_dst,
                                     bool need_diff_src) = 0;

  /// Brings the parameters into the form that forward() reads: to be called before it whenever they
  /// have changed, or another network with the same memory was used.
  virtual void load_parameters(onednn::Context&) {}
  virtual void forward(onednn::Context& context, const Pass& pass) = 0;
  /// The gradients of the parameters, if there are any. Comes before backward_data().
  virtual void backward_weights(onednn::Context&) {}
  /// The gradient of src, if it was planned.
  virtual void backward_data(onednn::Context& context) = 0;

  /// What does the arithmetic: "winograd", or oneDNN's word for it. Empty for what has none to
  /// speak of.
  virtual std::string algorithm() const { return {}; }

 protected:
  dnnl::memory src_;
  dnnl::memory dst_;
};

}  // namespace sluice::ops

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

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

  /// Allocates an operation's result.
  dnnl::memory take(const dnnl::memory::desc& desc) {
    return training ? onednn::take(context, workspace, desc) : context.take_passing(desc);
  }
  /// The result has been read for the last time by what is planned so far. Backward passes read it
  /// again.
  void release(const dnnl::memory& result) {
    if (!training) context.release_passing(onednn::data(result));
  }

  /// Memory for the gradient of an activation, of at most gradient_bytes.
  dnnl::memory take_gradient(const dnnl::memory::desc& desc) {
    if (free_gradients.empty()) free_gradients.push_back(workspace.take(gradient_bytes));
    float* const buffer = free_gradients.back();
    free_gradients.pop_back();
    return onednn::at(context, desc, buffer);
  }
  /// The gradient has been read for the last time.
  void release_gradient(const dnnl::memory& gradient) {
    free_gradients.push_back(onednn::data(gradient));
  }
  std::size_t gradient_bytes = 0;
  std::vector<float*> free_gradients = {};
};

/// A layer's parameters and their gradients in Keras's shapes, inside larger blocks of memory.
struct Parameter {
  const float* values = nullptr;
  float* gradients = nullptr;  ///< null where none are wanted: without training, or frozen
};

/// A layer's bias, or zeros for a layer without one, whose gradient nobody reads.
class Bias {
 public:
  Bias(Parameter bias, int count) : parameter_(bias) {
    if (bias.values != nullptr) return;
    own_.resize(2 * static_cast<std::size_t>(count));
    parameter_ = {own_.data(), own_.data() + count};
  }
  operator Parameter() const { return parameter_; }
  const float* values() const { return parameter_.values; }
  float* gradients() const { return parameter_.gradients; }

 private:
  Parameter parameter_;
  std::vector<float> own_;
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
  std::span<const int> labels = {};  ///< classes of the images, in a training pass that has them
  float share = 1;                   ///< of the whole batch's images that the pass has
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

  /// Whether there are parameters that need gradients.
  virtual bool has_parameters() const { return false; }
  /// Whether its backward pass reads dst for more than its values' signs: what scales dst in place
  /// would spoil it.
  virtual bool reads_its_result() const { return false; }

  /// Returns diff_src, in the layout of src. Without `need_diff_src`, which only an operation that
  /// has_parameters() supports, the result is empty and backward_data() must not be called.
  /// diff_dst has the layout of dst and may be overwritten. An operation of several sources has
  /// plan_backward_of_all() instead.
  virtual dnnl::memory plan_backward(Plan&, const dnnl::memory& /*diff_dst*/,
                                     bool /*need_diff_src*/) {
    return {};
  }
  /// The same for each source; empty where it is not wanted.
  virtual std::vector<dnnl::memory> plan_backward_of_all(Plan& plan, const dnnl::memory& diff_dst,
                                                         const std::vector<bool>& wanted) {
    return {plan_backward(plan, diff_dst, wanted[0])};
  }

  /// Converts the parameters to the form that forward() reads. Call it before forward() after the
  /// parameters changed, or after another network used the same memory.
  virtual void load_parameters(onednn::Context&) {}
  virtual void forward(onednn::Context& context, const Pass& pass) = 0;
  /// Computes the gradients of the parameters, if there are such. Call it before backward_data().
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

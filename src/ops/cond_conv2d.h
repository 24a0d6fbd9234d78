#pragma once

#include <span>
#include <vector>

#include "graph/operation.h"
#include "onednn/planes.h"
#include "ops/image_convolution.h"
#include "ops/kernel_mixes.h"
#include "ops/op.h"

namespace sluice::ops {

/// Parameters of a CondConv2D, in Keras's shapes.
struct CondConv2DParameters {
  Parameter gate_kernel;  ///< (in, kernels)
  Parameter gate_bias;    ///< (kernels)
  Parameter kernel;       ///< (kernels, height, width, in, filters)
  Parameter bias;         ///< (filters), or without values
};

/// A convolution of each image with its own mix of kernels (Yang et al. 2019). src (N, C, H, W) in
/// any layout, dst (N, filters, rows, columns) in NHWC. Its sums are divided by images, not by
/// threads, so that the bits do not depend on the number of threads.
class CondConv2D : public Op {
 public:
  CondConv2D(Plan& plan, const dnnl::memory& src, const operation::CondConvolution& operation,
             const CondConv2DParameters& parameters);

  bool has_parameters() const override;
  dnnl::memory plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool need_diff_src) override;
  void load_parameters(onednn::Context& context) override;
  void forward(onednn::Context& context, const Pass& pass) override;
  void backward_weights(onednn::Context& context) override;
  void backward_data(onednn::Context& context) override;

  std::size_t kernels() const { return kernels_; }
  /// (rows of the last forward pass, kernels): what each kernel is worth in the mix for an image.
  std::span<const float> weights() const { return {weights_.data(), rows_ * kernels_}; }

 private:
  /// Some images of a part, and the memory of the thread that works on them.
  struct Group {
    std::size_t part;
    std::size_t first, count;
    float* padded;
    float* mixed;  ///< of each image
    float* diff_dst;
    float* diff_weights;
  };

  /// Calls body(group) for all groups of the real rows; those of one part in order.
  template <class Body>
  void for_each_group(const onednn::Context& context, const Body& body) const;
  std::size_t parts() const;
  std::size_t thread_floats() const;
  float* part_sums(const onednn::Context& context, std::size_t part) const;

  Mixes mixes_of(const Group& group) const { return {group.count, kernels_, size_}; }
  /// Computes the weights of an image. `sums` is memory for a row of it.
  void weigh_kernels(std::size_t number, float* sums);
  /// Convolves each image with its mix of `kernels`. Its bias is `bias_step` after that of the
  /// image before.
  void convolve(const Group& group, const ImageConvolution& convolution, const float* kernels,
                const float* src, const float* bias, std::size_t bias_step, float* dst) const;
  /// Continues from group.diff_weights, which become gradients of the logits.
  void differentiate_gate(const Group& group, float* diff_gate_kernel, float* diff_gate_bias);
  /// Adds the sums of all parts, and writes the gradients that are wanted.
  void hand_out(const onednn::Context& context) const;
  void clear_padding(const dnnl::memory& images) const;

  std::size_t kernels_;
  CondConv2DParameters parameters_;
  std::vector<float> bias_;  ///< zeros without one
  dnnl::memory plain_src_;   ///< NHWC
  onednn::Planes planes_;    ///< of it
  onednn::Step src_reorder_;
  ImageConvolution convolution_;
  ImageConvolution backward_;
  std::size_t size_;                 ///< of a kernel, filled up to whole vectors with zeros
  float* own_kernels_;               ///< (kernels, size)
  float* turned_kernels_ = nullptr;  ///< for the gradient of the source
  std::size_t padded_floats_, mixed_floats_, diff_floats_ = 0, sums_floats_ = 0;
  std::size_t rows_ = 0;        ///< of the last forward pass
  std::vector<float> means_;    ///< (N, C), of pixels
  std::vector<float> weights_;  ///< (N, kernels)

  dnnl::memory diff_dst_;
  std::vector<float> diff_of_means_;  ///< (N, C), for each pixel
  dnnl::memory plain_diff_src_;       ///< NHWC
  onednn::Step diff_src_reorder_;
};

}  // namespace sluice::ops

#pragma once

#include "ops/conv2d.h"
#include "ops/convolution/algorithm.h"

namespace sluice::ops {

/// Conv2D by an algorithm of our own. src and dst in blocks of as many channels as a vector has
/// floats.
class BlockedConv2D : public Op {
 public:
  /// What to compute it with: null if it must be left to oneDNN.
  static const convolution::Algorithm* algorithm_for(const Plan& plan, const dnnl::memory& src,
                                                     const Conv2DShape& shape);

  BlockedConv2D(Plan& plan, const dnnl::memory& src, const Conv2DShape& shape, Parameter kernel,
                Parameter bias, const convolution::Algorithm& algorithm);

  bool has_parameters() const override { return true; }
  dnnl::memory plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool need_diff_src) override;
  void load_parameters(onednn::Context& context) override;
  void forward(onednn::Context& context, const Pass& pass) override;
  void backward_weights(onednn::Context& context) override;
  void backward_data(onednn::Context& context) override;
  std::string algorithm() const override { return algorithm_.name; }

 private:
  /// Floats of scratch memory before that of `parts`.
  std::size_t scratch(int parts) const;
  /// Floats of the sums that a part makes: the kernel's gradient, then the bias's.
  std::size_t sums_size() const;
  /// Calls body(part, first piece, last piece) for every part, on as many threads.
  template <class Body>
  void for_each_part(const convolution::Problem& problem, const Body& body) const;

  convolution::Source diff_dst() const;

  bool relu_;
  Parameter kernel_;
  Parameter bias_;
  const convolution::Algorithm& algorithm_;
  convolution::Problem problem_;
  convolution::Problem turned_;  ///< of backward data: channels and filters change places
  int parts_;                    ///< of the work, one a thread
  float* prepared_kernel_;
  const float* diff_dst_ = nullptr;
  float* diff_src_ = nullptr;
};

}  // namespace sluice::ops

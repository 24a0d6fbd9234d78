#pragma once

#include "base/parallel.h"
#include "ops/convolution/algorithm.h"
#include "ops/op.h"

namespace sluice::ops {

/// A convolution by algorithms of our own, cut into parts, one a thread. Their memory is the
/// context's scratch: that of each part, then the sums of each part.
class ConvolutionParts {
 public:
  /// Whether the algorithm takes this layout and these sizes.
  static bool suits(const convolution::GradientAlgorithm& algorithm, const dnnl::memory& src,
                    int filters, int kernel_size);

  ConvolutionParts(Plan& plan, const convolution::GradientAlgorithm& algorithm,
                   const dnnl::memory& src, int filters, int kernel_size);

  const convolution::Problem& problem() const { return problem_; }
  float* scratch(const onednn::Context& context, int part) const {
    return context.scratch() + part * scratch_;
  }
  /// The sums' memory serves other passes too.
  float* sums(const onednn::Context& context, int part) const {
    return context.scratch() + count_ * scratch_ + part * sums_;
  }

  /// Calls body(part, first piece, last piece) for every part.
  template <class Body>
  void for_each(const Body& body) const {
    const auto first = [&](std::size_t part) { return static_cast<int>(part * pieces_ / count_); };
    parallel_for(count_, 1, [&](std::size_t begin, std::size_t end) {
      for (std::size_t part = begin; part < end; ++part) {
        body(static_cast<int>(part), first(part), first(part + 1));
      }
    });
  }

  /// Writes the gradients of kernel and bias.
  void run_gradient(const onednn::Context& context, const float* src,
                    const convolution::Source& diff_dst, Parameter kernel, Parameter bias) const;

 private:
  const convolution::GradientAlgorithm& algorithm_;
  convolution::Problem problem_;
  std::size_t pieces_;
  std::size_t count_;
  std::size_t scratch_;  ///< floats of a part
  std::size_t sums_;     ///< floats of a part: the kernel's gradient, then the bias's
};

}  // namespace sluice::ops

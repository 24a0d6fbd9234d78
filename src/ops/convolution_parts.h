#pragma once

#include "base/parallel.h"
#include "ops/convolution/algorithm.h"
#include "ops/op.h"

namespace sluice::ops {

/// Runs Sluice's own convolution algorithms on several threads. Their memory is the context's
/// scratch memory: first that of each thread, then the sums of each thread.
class ConvolutionParts {
 public:
  /// Whether the algorithm supports this layout and these sizes.
  static bool suits(const convolution::GradientAlgorithm& algorithm, const dnnl::memory& src,
                    int filters, int kernel_size);

  ConvolutionParts(Plan& plan, const convolution::GradientAlgorithm& algorithm,
                   const dnnl::memory& src, int filters, int kernel_size);

  const convolution::Problem& problem() const { return problem_; }
  /// Memory of the size of the kernel gradient's sums.
  float* prepared_kernel(const onednn::Context& context) const { return sums(context, 0); }

  /// Calls body(scratch, first piece, last piece) on any free thread until all pieces are done.
  template <class Body>
  void for_each(const onednn::Context& context, const Body& body) const {
    const std::size_t parts = std::min(pieces_, kPartsPerThread * threads_);
    const auto run = [&](std::size_t begin, std::size_t end) {
      body(scratch(context, thread_number()), static_cast<int>(begin * pieces_ / parts),
           static_cast<int>(end * pieces_ / parts));
    };
    parallel_for(parts, 1, run, static_cast<int>(threads_));
  }

  /// Writes the gradients of kernel and bias.
  void run_gradient(const onednn::Context& context, const float* src,
                    const convolution::Source& diff_dst, Parameter kernel, Parameter bias) const;

 private:
  /// Small parts balance the load: cores differ in speed, and other programs run on them.
  static constexpr std::size_t kPartsPerThread = 8;

  float* scratch(const onednn::Context& context, std::size_t thread) const {
    return context.scratch() + thread * scratch_;
  }
  float* sums(const onednn::Context& context, std::size_t thread) const {
    return context.scratch() + threads_ * scratch_ + thread * sums_;
  }

  const convolution::GradientAlgorithm& algorithm_;
  convolution::Problem problem_;
  std::size_t pieces_;
  std::size_t threads_;
  std::size_t scratch_;  ///< floats for each thread
  std::size_t sums_;     ///< floats for each thread: the kernel's gradient, then the bias's
};

}  // namespace sluice::ops

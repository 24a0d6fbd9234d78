#include "ops/convolution_parts.h"

#include <algorithm>

#include "base/simd.h"

namespace sluice::ops {

namespace {

using convolution::GradientAlgorithm;
using convolution::Problem;

Problem problem_of(const dnnl::memory& src, int filters, int kernel_size) {
  const auto dims = onednn::dims_of(src);
  const auto size = [&](int axis) { return static_cast<int>(dims[axis]); };
  return {size(0), size(2), size(3), size(1), filters, kernel_size};
}

SLUICE_VECTORISED void add(float* to, const float* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to[i] += values[i];
}

}  // namespace

bool ConvolutionParts::suits(const GradientAlgorithm& algorithm, const dnnl::memory& src,
                             int filters, int kernel_size) {
  const auto dims = onednn::dims_of(src);
  if (dims.size() != 4 || filters % algorithm.width != 0) return false;
  const auto layout = dims[1] % algorithm.width == 0 ? onednn::in_blocks(dims, algorithm.width)
                                                     : onednn::layout(dims, onednn::Tag::nhwc);
  return src.get_desc() == layout && algorithm.suits(problem_of(src, filters, kernel_size));
}

ConvolutionParts::ConvolutionParts(Plan& plan, const GradientAlgorithm& algorithm,
                                   const dnnl::memory& src, int filters, int kernel_size)
    : algorithm_(algorithm),
      problem_(problem_of(src, filters, kernel_size)),
      pieces_(static_cast<std::size_t>(algorithm.pieces(problem_))),
      threads_(thread_count()),
      scratch_(std::max(algorithm.scratch_floats(problem_),
                        algorithm.scratch_floats(problem_.transposed()))),
      sums_(algorithm.sums_floats(problem_) + problem_.filters) {
  const std::size_t sums = plan.training ? sums_ : 0;
  plan.context.reserve_scratch(threads_ * (scratch_ + sums) * sizeof(float));
}

void ConvolutionParts::run_gradient(const onednn::Context& context, const float* src,
                                    const convolution::Source& diff_dst, Parameter kernel,
                                    Parameter bias) const {
  const std::size_t of_kernel = sums_ - problem_.filters;
  // The division of pieces among the sums is fixed: the same number of threads gives equal sums.
  parallel_for(threads_, 1, [&](std::size_t begin, std::size_t end) {
    float* own = sums(context, begin);
    std::fill(own, own + sums_, 0.f);
    algorithm_.add(problem_, src, diff_dst, own, own + of_kernel, scratch(context, begin),
                   static_cast<int>(begin * pieces_ / threads_),
                   static_cast<int>(end * pieces_ / threads_));
  });
  float* all = sums(context, 0);
  parallel_for(sums_, 1 << 10, [&](std::size_t begin, std::size_t end) {
    for (std::size_t thread = 1; thread < threads_; ++thread) {
      add(all + begin, sums(context, thread) + begin, end - begin);
    }
  });
  parallel_for(problem_.channels, 4, [&](std::size_t begin, std::size_t end) {
    algorithm_.finish(problem_, all, kernel.gradients, static_cast<int>(begin),
                      static_cast<int>(end));
  });
  std::copy_n(all + of_kernel, problem_.filters, bias.gradients);
}

}  // namespace sluice::ops

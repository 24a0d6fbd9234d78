#include "ops/winograd_conv2d.h"

#include <algorithm>

#include "base/parallel.h"
#include "base/simd.h"

namespace sluice::ops {

namespace {

using winograd::Problem;

dnnl::memory::desc blocked(const dnnl::memory::dims& dims, int width) {
  return onednn::layout(dims, width == 16 ? onednn::Tag::nChw16c : onednn::Tag::nChw8c);
}

Problem problem_of(const dnnl::memory& src, const Conv2DShape& shape) {
  const auto dims = onednn::dims_of(src);
  return {static_cast<int>(dims[0]), static_cast<int>(dims[2]), static_cast<int>(dims[3]),
          static_cast<int>(dims[1]), shape.filters};
}

/// Calls body(begin, end) for ranges of channels.
template <class Body>
void for_channels(int channels, const Body& body) {
  parallel_for(channels, 4, [&](std::size_t begin, std::size_t end) {
    body(static_cast<int>(begin), static_cast<int>(end));
  });
}

SLUICE_VECTORISED void add(float* to, const float* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to[i] += values[i];
}

}  // namespace

bool WinogradConv2D::suits(const dnnl::memory& src, const Conv2DShape& shape) {
  const winograd::Kernels* kernels = winograd::kernels();
  const auto dims = onednn::dims_of(src);
  if (kernels == nullptr || dims.size() != 4 || shape.kernel_size != 3) return false;
  const Problem problem = problem_of(src, shape);
  constexpr int kResults = winograd::kTile * winograd::kTile;
  const std::int64_t pixels = std::int64_t{problem.images} * problem.height * problem.width;
  return problem.channels % kernels->width == 0 && problem.filters % kernels->width == 0 &&
         2 * pixels >= std::int64_t{kResults} * problem.tiles() &&
         src.get_desc() == blocked(dims, kernels->width);
}

WinogradConv2D::WinogradConv2D(Plan& plan, const dnnl::memory& src, const Conv2DShape& shape,
                               Parameter kernel, Parameter bias)
    : Op(src, {}),
      relu_(shape.relu),
      kernel_(kernel),
      bias_(bias),
      kernels_(*winograd::kernels()),
      problem_(problem_of(src, shape)),
      turned_(problem_.turned()),
      parts_(std::min(thread_count(), problem_.tiles())) {
  auto dims = onednn::dims_of(src);
  dims[1] = shape.filters;
  dst_ = plan.take(blocked(dims, kernels_.width));
  transformed_kernel_ = plan.workspace.take(winograd::kernel_size(problem_) * sizeof(float));
  // With the backward pass's sums, which the turned kernel takes the place of.
  const std::size_t sums = plan.training ? parts_ * sums_size() : 0;
  plan.context.reserve_scratch((scratch(parts_) + sums) * sizeof(float));
}

dnnl::memory WinogradConv2D::plan_backward(Plan& plan, const dnnl::memory& diff_dst,
                                           bool need_diff_src) {
  diff_dst_ = onednn::data(diff_dst);
  if (!need_diff_src) return {};
  const auto diff_src = plan.take_gradient(src_.get_desc());
  diff_src_ = onednn::data(diff_src);
  return diff_src;
}

std::size_t WinogradConv2D::scratch(int parts) const {
  return parts * std::max(winograd::scratch_size(problem_), winograd::scratch_size(turned_));
}

std::size_t WinogradConv2D::sums_size() const {
  return winograd::kernel_size(problem_) + problem_.filters;
}

template <class Body>
void WinogradConv2D::for_each_part(const Body& body) const {
  const auto first = [&](std::size_t part) {
    return static_cast<int>(part * static_cast<std::size_t>(problem_.tiles()) / parts_);
  };
  parallel_for(parts_, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t part = begin; part < end; ++part) {
      body(static_cast<int>(part), first(part), first(part + 1));
    }
  });
}

void WinogradConv2D::load_parameters(onednn::Context&) {
  for_channels(problem_.channels, [&](int begin, int end) {
    kernels_.transform_kernel(problem_, kernel_.values, transformed_kernel_, begin, end);
  });
}

void WinogradConv2D::forward(onednn::Context& context, const Pass&) {
  for_each_part([&](int part, int first, int last) {
    kernels_.convolve(problem_, {onednn::data(src_)}, transformed_kernel_, bias_.values, relu_,
                      onednn::data(dst_), context.scratch() + scratch(part), first, last);
  });
}

std::string WinogradConv2D::algorithm() const {
  return kernels_.width == 16 ? "winograd, avx512" : "winograd, avx2";
}

winograd::Source WinogradConv2D::diff_dst() const {
  return {diff_dst_, relu_ ? onednn::data(dst_) : nullptr};
}

void WinogradConv2D::backward_weights(onednn::Context& context) {
  float* memory = context.scratch();
  const std::size_t size = winograd::kernel_size(problem_);
  const auto sums = [&](int part) { return memory + scratch(parts_) + part * sums_size(); };
  for_each_part([&](int part, int first, int last) {
    float* own = sums(part);
    std::fill(own, own + sums_size(), 0.f);
    kernels_.add_kernel_gradient(problem_, onednn::data(src_), diff_dst(), own, own + size,
                                 memory + scratch(part), first, last);
  });
  parallel_for(sums_size(), 1 << 10, [&](std::size_t begin, std::size_t end) {
    for (int part = 1; part < parts_; ++part) add(sums(0) + begin, sums(part) + begin, end - begin);
  });
  for_channels(problem_.channels, [&](int begin, int end) {
    kernels_.transform_kernel_gradient(problem_, sums(0), kernel_.gradients, begin, end);
  });
  std::copy_n(sums(0) + size, problem_.filters, bias_.gradients);
}

void WinogradConv2D::backward_data(onednn::Context& context) {
  float* memory = context.scratch();
  float* turned_kernel = memory + scratch(parts_);
  for_channels(problem_.filters, [&](int begin, int end) {
    kernels_.transform_turned_kernel(problem_, kernel_.values, turned_kernel, begin, end);
  });
  for_each_part([&](int part, int first, int last) {
    kernels_.convolve(turned_, diff_dst(), turned_kernel, nullptr, false, diff_src_,
                      memory + scratch(part), first, last);
  });
}

}  // namespace sluice::ops

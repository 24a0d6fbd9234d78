#include "ops/blocked_conv2d.h"

#include <algorithm>

#include "base/parallel.h"
#include "base/simd.h"

namespace sluice::ops {

namespace {

using convolution::Algorithm;
using convolution::Problem;

dnnl::memory::desc blocked(const dnnl::memory::dims& dims, int width) {
  return onednn::layout(dims, width == 16 ? onednn::Tag::nChw16c : onednn::Tag::nChw8c);
}

Problem problem_of(const dnnl::memory& src, const Conv2DShape& shape) {
  const auto dims = onednn::dims_of(src);
  return {static_cast<int>(dims[0]),
          static_cast<int>(dims[2]),
          static_cast<int>(dims[3]),
          static_cast<int>(dims[1]),
          shape.filters,
          shape.kernel_size};
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

const Algorithm* BlockedConv2D::algorithm_for(const Plan& plan, const dnnl::memory& src,
                                              const Conv2DShape& shape) {
  const auto dims = onednn::dims_of(src);
  if (dims.size() != 4) return nullptr;
  const Problem problem = problem_of(src, shape);
  const auto suits = [&](const Algorithm* algorithm) {
    return algorithm != nullptr && problem.channels % algorithm->width == 0 &&
           problem.filters % algorithm->width == 0 &&
           src.get_desc() == blocked(dims, algorithm->width) && algorithm->suits(problem);
  };
  if (plan.winograd && suits(convolution::winograd())) return convolution::winograd();
  return suits(convolution::direct()) ? convolution::direct() : nullptr;
}

BlockedConv2D::BlockedConv2D(Plan& plan, const dnnl::memory& src, const Conv2DShape& shape,
                             Parameter kernel, Parameter bias, const Algorithm& algorithm)
    : Op(src, {}),
      relu_(shape.relu),
      kernel_(kernel),
      bias_(bias),
      algorithm_(algorithm),
      problem_(problem_of(src, shape)),
      turned_(problem_.turned()),
      parts_(std::min(thread_count(), algorithm.pieces(problem_))) {
  auto dims = onednn::dims_of(src);
  dims[1] = shape.filters;
  dst_ = plan.take(blocked(dims, algorithm.width));
  prepared_kernel_ = plan.workspace.take(algorithm.kernel_floats(problem_) * sizeof(float));
  // With the backward pass's sums, which the turned kernel takes the place of.
  const std::size_t sums = plan.training ? parts_ * sums_size() : 0;
  plan.context.reserve_scratch((scratch(parts_) + sums) * sizeof(float));
}

dnnl::memory BlockedConv2D::plan_backward(Plan& plan, const dnnl::memory& diff_dst,
                                          bool need_diff_src) {
  diff_dst_ = onednn::data(diff_dst);
  if (!need_diff_src) return {};
  const auto diff_src = plan.take_gradient(src_.get_desc());
  diff_src_ = onednn::data(diff_src);
  return diff_src;
}

std::size_t BlockedConv2D::scratch(int parts) const {
  return parts * std::max(algorithm_.scratch_floats(problem_), algorithm_.scratch_floats(turned_));
}

std::size_t BlockedConv2D::sums_size() const {
  return algorithm_.kernel_floats(problem_) + problem_.filters;
}

template <class Body>
void BlockedConv2D::for_each_part(const Problem& problem, const Body& body) const {
  const auto pieces = static_cast<std::size_t>(algorithm_.pieces(problem));
  const auto first = [&](std::size_t part) { return static_cast<int>(part * pieces / parts_); };
  parallel_for(parts_, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t part = begin; part < end; ++part) {
      body(static_cast<int>(part), first(part), first(part + 1));
    }
  });
}

void BlockedConv2D::load_parameters(onednn::Context&) {
  for_channels(problem_.channels, [&](int begin, int end) {
    algorithm_.prepare_kernel(problem_, kernel_.values, prepared_kernel_, begin, end);
  });
}

void BlockedConv2D::forward(onednn::Context& context, const Pass&) {
  for_each_part(problem_, [&](int part, int first, int last) {
    algorithm_.convolve(problem_, {onednn::data(src_)}, prepared_kernel_, bias_.values, relu_,
                        onednn::data(dst_), context.scratch() + scratch(part), first, last);
  });
}

convolution::Source BlockedConv2D::diff_dst() const {
  return {diff_dst_, relu_ ? onednn::data(dst_) : nullptr};
}

void BlockedConv2D::backward_weights(onednn::Context& context) {
  float* memory = context.scratch();
  const std::size_t size = algorithm_.kernel_floats(problem_);
  const auto sums = [&](int part) { return memory + scratch(parts_) + part * sums_size(); };
  for_each_part(problem_, [&](int part, int first, int last) {
    float* own = sums(part);
    std::fill(own, own + sums_size(), 0.f);
    algorithm_.add_kernel_gradient(problem_, onednn::data(src_), diff_dst(), own, own + size,
                                   memory + scratch(part), first, last);
  });
  parallel_for(sums_size(), 1 << 10, [&](std::size_t begin, std::size_t end) {
    for (int part = 1; part < parts_; ++part) add(sums(0) + begin, sums(part) + begin, end - begin);
  });
  for_channels(problem_.channels, [&](int begin, int end) {
    algorithm_.finish_kernel_gradient(problem_, sums(0), kernel_.gradients, begin, end);
  });
  std::copy_n(sums(0) + size, problem_.filters, bias_.gradients);
}

void BlockedConv2D::backward_data(onednn::Context& context) {
  float* memory = context.scratch();
  float* turned_kernel = memory + scratch(parts_);
  for_channels(problem_.filters, [&](int begin, int end) {
    algorithm_.prepare_turned_kernel(problem_, kernel_.values, turned_kernel, begin, end);
  });
  for_each_part(turned_, [&](int part, int first, int last) {
    algorithm_.convolve(turned_, diff_dst(), turned_kernel, nullptr, false, diff_src_,
                        memory + scratch(part), first, last);
  });
}

}  // namespace sluice::ops

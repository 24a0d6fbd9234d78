#include "ops/cond_conv2d.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/fail.h"
#include "base/parallel.h"
#include "base/simd.h"

namespace sluice::ops {

namespace {

constexpr std::size_t kMostParts = 16;  ///< of the rows
constexpr std::size_t kGroup = 8;       ///< images that are mixed for together

std::size_t in_vectors(std::size_t floats) {
  return (floats + kMixed - 1) / kMixed * kMixed;
}

dnnl::memory plain(Plan& plan, const dnnl::memory& src) {
  const auto dims = onednn::dims_of(src);
  if (dims.size() != 4) {
    throw user_error("cond_conv2d", "takes images (height, width, channels), not {}",
                     image_text(dims));
  }
  return onednn::in_layout(plan.context, plan.workspace, src,
                           onednn::layout(dims, onednn::Tag::nhwc));
}

SLUICE_VECTORISED void add_values(const float* __restrict values, std::size_t count,
                                  float* __restrict sums) {
  for (std::size_t i = 0; i < count; ++i) sums[i] += values[i];
}

/// Adds rows of `channels` values.
void add_rows(const float* values, std::size_t count, std::size_t channels, float* sums) {
  for (std::size_t i = 0; i < count; i += channels) {
    for (std::size_t c = 0; c < channels; ++c) sums[c] += values[i + c];
  }
}

void softmax_of(float* logits, std::size_t count) {
  const float largest = *std::max_element(logits, logits + count);
  float sum = 0;
  for (std::size_t k = 0; k < count; ++k) sum += logits[k] = std::exp(logits[k] - largest);
  for (std::size_t k = 0; k < count; ++k) logits[k] /= sum;
}

}  // namespace

CondConv2D::CondConv2D(Plan& plan, const dnnl::memory& src,
                       const operation::CondConvolution& operation,
                       const CondConv2DParameters& parameters)
    : Op(src, {}),
      kernels_(static_cast<std::size_t>(operation.kernels)),
      parameters_(parameters),
      bias_(static_cast<std::size_t>(operation.convolution.filters)),
      plain_src_(plain(plan, src)),
      planes_(plain_src_),
      src_reorder_(onednn::reorder(plan.context, src, plain_src_)),
      convolution_(operation.convolution.window, static_cast<int>(planes_.height),
                   static_cast<int>(planes_.width), static_cast<int>(planes_.channels),
                   operation.convolution.filters),
      backward_(convolution_.backward()),
      size_(in_vectors(convolution_.kernel_values())),
      own_kernels_(plan.workspace.take(kernels_ * size_ * sizeof(float))),
      padded_floats_(in_vectors(convolution_.padded_floats())),
      mixed_floats_(in_vectors(convolution_.kernel_floats())),
      means_(planes_.images * planes_.channels),
      weights_(planes_.images * kernels_) {
  const operation::Window& window = operation.convolution.window;
  const auto dims = onednn::dims_of(src);
  dst_ = plan.take(onednn::layout(
      {dims[0], operation.convolution.filters, window.rows(dims[2]), window.columns(dims[3])},
      onednn::Tag::nhwc));
  if (plan.training) {
    padded_floats_ = std::max(padded_floats_, in_vectors(backward_.padded_floats()));
    mixed_floats_ = std::max(mixed_floats_, in_vectors(backward_.kernel_floats()));
    diff_floats_ = in_vectors(convolution_.result_floats());
    sums_floats_ = in_vectors(kernels_ * size_ + (planes_.channels + 1) * kernels_ + bias_.size());
    diff_of_means_.resize(means_.size());
  }
  const auto threads = static_cast<std::size_t>(thread_count());
  plan.context.reserve_scratch((threads * thread_floats() + kMostParts * sums_floats_) *
                               sizeof(float));
}

std::size_t CondConv2D::thread_floats() const {
  return padded_floats_ + kGroup * mixed_floats_ + diff_floats_ + in_vectors(kGroup * kernels_);
}

float* CondConv2D::part_sums(const onednn::Context& context, std::size_t part) const {
  return context.scratch() + part * sums_floats_;
}

std::size_t CondConv2D::parts() const {
  return std::min(kMostParts, rows_);
}

template <class Body>
void CondConv2D::for_each_group(const onednn::Context& context, const Body& body) const {
  parallel_for(parts(), 1, [&](std::size_t begin, std::size_t end) {
    float* const padded = part_sums(context, kMostParts) + thread_number() * thread_floats();
    float* const mixed = padded + padded_floats_;
    float* const diff_dst = mixed + kGroup * mixed_floats_;
    for (std::size_t part = begin; part < end; ++part) {
      const std::size_t last = (part + 1) * rows_ / parts();
      for (std::size_t first = part * rows_ / parts(); first < last; first += kGroup) {
        body(Group{part, first, std::min(kGroup, last - first), padded, mixed, diff_dst,
                   diff_dst + diff_floats_});
      }
    }
  });
}

bool CondConv2D::has_parameters() const {
  return std::ranges::any_of(
      std::array{parameters_.gate_kernel, parameters_.gate_bias, parameters_.kernel,
                 parameters_.bias},
      [](const Parameter& parameter) { return parameter.gradients != nullptr; });
}

void CondConv2D::load_parameters(onednn::Context&) {
  const std::size_t values = convolution_.kernel_values();
  const std::size_t channels = planes_.channels;
  const std::size_t filters = bias_.size();
  const std::size_t places = values / channels / filters;
  parallel_for(kernels_, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t k = begin; k < end; ++k) {
      const float* const kernel = parameters_.kernel.values + k * values;
      float* const own = own_kernels_ + k * size_;
      std::fill(std::copy_n(kernel, values, own), own + size_, 0.f);
      if (turned_kernels_ == nullptr) continue;
      float* turned = turned_kernels_ + k * size_;
      for (std::size_t place = places; place-- > 0;) {
        for (std::size_t f = 0; f < filters; ++f) {
          for (std::size_t c = 0; c < channels; ++c) {
            *turned++ = kernel[(place * channels + c) * filters + f];
          }
        }
      }
      std::fill(turned, turned_kernels_ + (k + 1) * size_, 0.f);
    }
  });
  if (parameters_.bias.values != nullptr) {
    std::copy_n(parameters_.bias.values, filters, bias_.begin());
  }
}

void CondConv2D::weigh_kernels(std::size_t number, float* sums) {
  const std::size_t channels = planes_.channels;
  const std::size_t row = planes_.width * channels;
  const float* const src = onednn::data(plain_src_) + number * planes_.elements();
  std::fill_n(sums, row, 0.f);
  for (std::size_t y = 0; y < planes_.height; ++y) add_values(src + y * row, row, sums);
  float* const means = &means_[number * channels];
  std::fill_n(means, channels, 0.f);
  add_rows(sums, row, channels, means);
  float* const weights = &weights_[number * kernels_];
  std::copy_n(parameters_.gate_bias.values, kernels_, weights);
  for (std::size_t c = 0; c < channels; ++c) {
    means[c] /= static_cast<float>(planes_.pixels());
    for (std::size_t k = 0; k < kernels_; ++k) {
      weights[k] += means[c] * parameters_.gate_kernel.values[c * kernels_ + k];
    }
  }
  softmax_of(weights, kernels_);
}

void CondConv2D::convolve(const Group& group, const ImageConvolution& convolution,
                          const float* kernels, const float* src, const float* bias,
                          std::size_t bias_step, float* dst) const {
  mix(mixes_of(group), &weights_[group.first * kernels_], kernels, mixed_floats_, group.mixed);
  for (std::size_t i = 0; i < group.count; ++i) {
    const std::size_t number = group.first + i;
    float* const mixed = group.mixed + i * mixed_floats_;
    std::copy_n(bias + number * bias_step, convolution.filters(),
                mixed + convolution.kernel_values());
    convolution.pad(src + number * convolution.source_values(), group.padded);
    convolution.convolve(group.padded, mixed, dst + number * convolution.result_values());
  }
}

void CondConv2D::forward(onednn::Context& context, const Pass& pass) {
  rows_ = static_cast<std::size_t>(pass.rows);
  src_reorder_.run(context);
  for_each_group(context, [&](const Group& group) {
    for (std::size_t i = 0; i < group.count; ++i) weigh_kernels(group.first + i, group.padded);
    convolve(group, convolution_, own_kernels_, onednn::data(plain_src_), bias_.data(), 0,
             onednn::data(dst_));
  });
  clear_padding(dst_);
}

dnnl::memory CondConv2D::plan_backward(Plan& plan, const dnnl::memory& diff_dst,
                                       bool need_diff_src) {
  diff_dst_ = diff_dst;
  if (!need_diff_src) return {};
  turned_kernels_ = plan.workspace.take(kernels_ * size_ * sizeof(float));
  const auto diff_src = plan.take_gradient(src_.get_desc());
  plain_diff_src_ =
      onednn::in_layout(plan.context, plan.workspace, diff_src, plain_src_.get_desc());
  diff_src_reorder_ = onednn::reorder(plan.context, plain_diff_src_, diff_src);
  return diff_src;
}

void CondConv2D::differentiate_gate(const Group& group, float* diff_gate_kernel,
                                    float* diff_gate_bias) {
  const std::size_t channels = planes_.channels;
  for (std::size_t i = 0; i < group.count; ++i) {
    const float* const weights = &weights_[(group.first + i) * kernels_];
    float* const diff = group.diff_weights + i * kernels_;
    float mean = 0;
    for (std::size_t k = 0; k < kernels_; ++k) mean += weights[k] * diff[k];
    for (std::size_t k = 0; k < kernels_; ++k) {
      diff[k] = weights[k] * (diff[k] - mean);  // of the logit
      diff_gate_bias[k] += diff[k];
    }
    for (std::size_t c = 0; c < channels; ++c) {
      const float* const gate = parameters_.gate_kernel.values + c * kernels_;
      float sum = 0;
      for (std::size_t k = 0; k < kernels_; ++k) {
        sum += gate[k] * diff[k];
        diff_gate_kernel[c * kernels_ + k] += means_[(group.first + i) * channels + c] * diff[k];
      }
      diff_of_means_[(group.first + i) * channels + c] = sum / static_cast<float>(planes_.pixels());
    }
  }
}

void CondConv2D::backward_weights(onednn::Context& context) {
  const std::size_t results = convolution_.result_values();
  const std::size_t values = convolution_.kernel_values();
  for_each_group(context, [&](const Group& group) {
    float* const sums = part_sums(context, group.part);
    float* const gate_kernel = sums + kernels_ * size_;
    float* const gate_bias = gate_kernel + planes_.channels * kernels_;
    float* const bias = gate_bias + kernels_;
    if (group.first == group.part * rows_ / parts()) std::fill_n(sums, sums_floats_, 0.f);
    for (std::size_t i = 0; i < group.count; ++i) {
      const std::size_t number = group.first + i;
      convolution_.pad(onednn::data(plain_src_) + number * planes_.elements(), group.padded);
      std::copy_n(onednn::data(diff_dst_) + number * results, results, group.diff_dst);
      float* const diff_kernel = group.mixed + i * size_;
      std::fill(diff_kernel + values, diff_kernel + size_, 0.f);
      convolution_.gradient(group.padded, group.diff_dst, diff_kernel);
      if (parameters_.bias.gradients != nullptr) {
        add_rows(group.diff_dst, results, bias_.size(), bias);
      }
    }
    mix_weight_gradients(mixes_of(group), group.mixed, own_kernels_, group.diff_weights);
    add_mix_gradients(mixes_of(group), &weights_[group.first * kernels_], group.mixed, sums);
    differentiate_gate(group, gate_kernel, gate_bias);
  });
  hand_out(context);
}

void CondConv2D::hand_out(const onednn::Context& context) const {
  const auto sum_up = [&](std::size_t first, std::size_t count, float* to) {
    if (to == nullptr) return;
    std::copy_n(part_sums(context, 0) + first, count, to);
    for (std::size_t part = 1; part < parts(); ++part) {
      add_values(part_sums(context, part) + first, count, to);
    }
  };
  const std::size_t values = convolution_.kernel_values();
  float* const gradients = parameters_.kernel.gradients;
  parallel_for(kernels_, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t k = begin; k < end; ++k) {
      sum_up(k * size_, values, gradients == nullptr ? nullptr : gradients + k * values);
    }
  });
  std::size_t first = kernels_ * size_;
  sum_up(first, planes_.channels * kernels_, parameters_.gate_kernel.gradients);
  first += planes_.channels * kernels_;
  sum_up(first, kernels_, parameters_.gate_bias.gradients);
  sum_up(first + kernels_, bias_.size(), parameters_.bias.gradients);
}

void CondConv2D::backward_data(onednn::Context& context) {
  for_each_group(context, [&](const Group& group) {
    convolve(group, backward_, turned_kernels_, onednn::data(diff_dst_), diff_of_means_.data(),
             planes_.channels, onednn::data(plain_diff_src_));
  });
  clear_padding(plain_diff_src_);
  diff_src_reorder_.run(context);
}

void CondConv2D::clear_padding(const dnnl::memory& images) const {
  const std::size_t image = onednn::stored(images) / planes_.images;
  std::fill_n(onednn::data(images) + rows_ * image, (planes_.images - rows_) * image, 0.f);
}

}  // namespace sluice::ops

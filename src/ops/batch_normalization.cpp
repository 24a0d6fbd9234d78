#include "ops/batch_normalization.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "base/simd.h"
#include "ops/gelu.h"
#include "ops/relu.h"
#include "ops/scale.h"

namespace sluice::ops {

namespace {

constexpr std::size_t kParts = 16;   ///< of the rows
constexpr std::size_t kChunk = 256;  ///< pixels that are summed in single precision

template <std::size_t kLanes>
[[gnu::always_inline]] inline void moments_in_registers(const float* src, std::size_t pixels,
                                                        float* mean, float* squares) {
  float sum[kLanes] = {};
  for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) sum[lane] += src[pixel * kLanes + lane];
  }
  for (float& each : sum) each /= static_cast<float>(pixels);
  float square[kLanes] = {};
  for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float off = src[pixel * kLanes + lane] - sum[lane];
      square[lane] += off * off;
    }
  }
  std::copy(sum, sum + kLanes, mean);
  std::copy(square, square + kLanes, squares);
}

/// Mean of a chunk's pixels and the sum of the squared differences from it, by lane.
SLUICE_VECTORISED void chunk_moments(const float* __restrict src, std::size_t pixels,
                                     std::size_t lanes, float* __restrict mean,
                                     float* __restrict squares) {
  if (lanes == 16) return moments_in_registers<16>(src, pixels, mean, squares);
  if (lanes == 8) return moments_in_registers<8>(src, pixels, mean, squares);
  std::fill(mean, mean + lanes, 0.f);
  std::fill(squares, squares + lanes, 0.f);
  for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::size_t lane = 0; lane < lanes; ++lane) mean[lane] += src[pixel * lanes + lane];
  }
  for (std::size_t lane = 0; lane < lanes; ++lane) mean[lane] /= static_cast<float>(pixels);
  for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const float off = src[pixel * lanes + lane] - mean[lane];
      squares[lane] += off * off;
    }
  }
}

/// Adds the moments of `more` values to those of `count` (Chan, Golub and LeVeque 1979).
template <class Value>
void add_moments(double count, double more, std::size_t lanes, const Value* mean,
                 const Value* squares, double* into_mean, double* into_squares) {
  const double share = more / (count + more);
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    const double off = mean[lane] - into_mean[lane];
    into_mean[lane] += off * share;
    into_squares[lane] += squares[lane] + off * off * count * share;
  }
}

/// By lane: sums of the gradients, and of their products with the normalised values. With dst,
/// gradients behind a ReLU that is 0 or max_value become 0.
SLUICE_VECTORISED void sum_gradients(const float* __restrict src, const float* __restrict dst,
                                     float max_value, const float* __restrict mean,
                                     const float* __restrict inverse, std::size_t pixels,
                                     std::size_t lanes, float* __restrict diff,
                                     float* __restrict sums, float* __restrict products) {
  std::fill(sums, sums + lanes, 0.f);
  std::fill(products, products + lanes, 0.f);
  for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
    if (dst != nullptr) {
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        diff[lane] = ((dst[lane] > 0) & (dst[lane] < max_value)) ? diff[lane] : 0.f;
      }
      dst += lanes;
    }
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      sums[lane] += diff[lane];
      products[lane] += diff[lane] * (src[lane] - mean[lane]) * inverse[lane];
    }
    src += lanes;
    diff += lanes;
  }
}

/// diff = diff * scale + src * slope + offset
SLUICE_VECTORISED void combine(const float* __restrict src, const float* __restrict scale,
                               const float* __restrict slope, const float* __restrict offset,
                               std::size_t pixels, std::size_t lanes, float* __restrict diff) {
  for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      diff[lane] = diff[lane] * scale[lane] + src[lane] * slope[lane] + offset[lane];
    }
    src += lanes;
    diff += lanes;
  }
}

}  // namespace

BatchNormalization::BatchNormalization(Plan& plan, const dnnl::memory& src,
                                       const operation::BatchNormalization& operation,
                                       const FusedRelu& relu, bool gelu,
                                       const BatchNormalizationParameters& parameters)
    : Op(src, plan.take(src.get_desc())),
      operation_(operation),
      relu_(relu),
      gelu_(gelu),
      parameters_(parameters),
      planes_(src) {
  const std::size_t lanes = planes_.blocks * planes_.lanes;
  for (auto* values :
       {&mean_, &variance_, &inverse_, &scale_, &offset_, &diff_gamma_, &diff_beta_}) {
    values->resize(lanes);
  }
  // A network that is not trained, such as the gate of a mixture, keeps its statistics.
  if (!plan.training) operation_.frozen = true;
  if (plan.training) sums_.resize(2 * kParts * lanes);
}

bool BatchNormalization::has_parameters() const {
  return parameters_.gamma.gradients != nullptr || parameters_.beta.gradients != nullptr;
}

dnnl::memory BatchNormalization::plan_backward(Plan&, const dnnl::memory& diff_dst, bool) {
  diff_dst_ = diff_dst;
  diff_ = onednn::data(diff_dst);
  return diff_dst;
}

template <class Body>
void BatchNormalization::for_each_part(const Body& body) const {
  parallel_for(kParts * planes_.blocks, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t part = i / planes_.blocks;
      body(i % planes_.blocks, part * rows_ / kParts, (part + 1) * rows_ / kParts, part);
    }
  });
}

template <class Body>
void BatchNormalization::sum_in_parts(const Body& body) {
  const std::size_t lanes = planes_.lanes;
  std::fill(sums_.begin(), sums_.end(), 0.0);
  for_each_part([&](std::size_t block, std::size_t first, std::size_t last, std::size_t part) {
    thread_local std::vector<float> of_chunk;
    of_chunk.resize(2 * lanes);
    double* sums = part_sums(part) + block * lanes;
    double* others = sums + lanes_of_all();
    std::size_t done = 0;
    for (std::size_t image = first; image < last; ++image) {
      const std::size_t at = (image * planes_.blocks + block) * plane();
      for (std::size_t pixel = 0; pixel < planes_.pixels(); pixel += kChunk) {
        const Chunk chunk{at + pixel * lanes, std::min(kChunk, planes_.pixels() - pixel),
                          block * lanes, done};
        body(chunk, of_chunk.data(), of_chunk.data() + lanes, sums, others);
        done += chunk.pixels;
      }
    }
  });
}

void BatchNormalization::compute_moments() {
  const std::size_t lanes = planes_.lanes;
  sum_in_parts([&](const Chunk& chunk, float* mean, float* squares, double* into_mean,
                   double* into_squares) {
    chunk_moments(onednn::data(src_) + chunk.values, chunk.pixels, lanes, mean, squares);
    add_moments(static_cast<double>(chunk.done), static_cast<double>(chunk.pixels), lanes, mean,
                squares, into_mean, into_squares);
  });
  // The first part takes in the others.
  const std::size_t all = lanes_of_all();
  double* mean = part_sums(0);
  double* squares = mean + all;
  double count = 0;
  for (std::size_t part = 0; part < kParts; ++part) {
    const std::size_t rows = (part + 1) * rows_ / kParts - part * rows_ / kParts;
    const double more = static_cast<double>(rows * planes_.pixels());
    if (part > 0 && rows > 0) {
      add_moments(count, more, all, part_sums(part), part_sums(part) + all, mean, squares);
    }
    count += more;
  }
  for (std::size_t lane = 0; lane < all; ++lane) {
    mean_[lane] = static_cast<float>(mean[lane]);
    variance_[lane] = static_cast<float>(squares[lane] / count);
  }
}

void BatchNormalization::update_moving_moments() {
  const double kept = operation_.momentum;
  for (std::size_t c = 0; c < planes_.channels; ++c) {
    const auto move = [&](float& moving, double batch) {
      moving = static_cast<float>(kept * moving + (1 - kept) * batch);
    };
    move(parameters_.moving_mean[c], mean_[c]);
    move(parameters_.moving_variance[c], variance_[c]);
  }
}

void BatchNormalization::forward(onednn::Context&, const Pass& pass) {
  rows_ = static_cast<std::size_t>(pass.rows);
  of_batch_ = pass.phase == Phase::training && !operation_.frozen;
  const std::size_t channels = planes_.channels;
  if (of_batch_) {
    compute_moments();
    update_moving_moments();
  } else {
    std::copy_n(parameters_.moving_mean, channels, mean_.begin());
    std::copy_n(parameters_.moving_variance, channels, variance_.begin());
  }
  const float* gamma = parameters_.gamma.values;
  const float* beta = parameters_.beta.values;
  for (std::size_t c = 0; c < channels; ++c) {
    inverse_[c] = static_cast<float>(1 / std::sqrt(double(variance_[c]) + operation_.epsilon));
    scale_[c] = inverse_[c] * (gamma == nullptr ? 1.f : gamma[c]);
    offset_[c] = (beta == nullptr ? 0.f : beta[c]) - mean_[c] * scale_[c];
  }
  scale_values(planes_, onednn::data(src_), scale_.data(), offset_.data(), relu_,
               onednn::data(dst_), gelu_ ? gelu : nullptr);
}

void BatchNormalization::undo_gelu(std::size_t values, std::size_t first_lane, std::size_t pixels) {
  gelu_backward(onednn::data(src_) + values, scale_.data() + first_lane,
                offset_.data() + first_lane, pixels, planes_.lanes, diff_ + values);
}

void BatchNormalization::backward_weights(onednn::Context&) {
  if (operation_.frozen) {
    relu_backward(dst_, diff_dst_, relu_);
    if (!gelu_) return;
    return for_each_part([&](std::size_t block, std::size_t first, std::size_t last, std::size_t) {
      for (std::size_t image = first; image < last; ++image) {
        undo_gelu((image * planes_.blocks + block) * plane(), block * planes_.lanes,
                  planes_.pixels());
      }
    });
  }
  const std::size_t lanes = planes_.lanes;
  const std::size_t all = lanes_of_all();
  sum_in_parts([&](const Chunk& chunk, float* sums, float* products, double* into_sums,
                   double* into_products) {
    if (gelu_) undo_gelu(chunk.values, chunk.first_lane, chunk.pixels);
    sum_gradients(onednn::data(src_) + chunk.values,
                  relu_.applied ? onednn::data(dst_) + chunk.values : nullptr, relu_.max_value,
                  mean_.data() + chunk.first_lane, inverse_.data() + chunk.first_lane, chunk.pixels,
                  lanes, diff_ + chunk.values, sums, products);
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      into_sums[lane] += sums[lane];
      into_products[lane] += products[lane];
    }
  });
  for (std::size_t lane = 0; lane < all; ++lane) {
    double sum = 0;
    double product = 0;
    for (std::size_t part = 0; part < kParts; ++part) {
      sum += part_sums(part)[lane];
      product += part_sums(part)[all + lane];
    }
    diff_beta_[lane] = static_cast<float>(sum);
    diff_gamma_[lane] = static_cast<float>(product);
  }
  const auto hand_out = [&](const std::vector<float>& from, const Parameter& to) {
    if (to.gradients != nullptr) std::copy_n(from.begin(), planes_.channels, to.gradients);
  };
  hand_out(diff_gamma_, parameters_.gamma);
  hand_out(diff_beta_, parameters_.beta);
}

void BatchNormalization::backward_data(onednn::Context&) {
  // With the batch's own statistics, each of its values moves the mean and the variance.
  std::vector<float>& slope = diff_gamma_;
  std::vector<float>& offset = diff_beta_;
  const float count = static_cast<float>(rows_ * planes_.pixels());
  for (std::size_t lane = 0; lane < slope.size(); ++lane) {
    const float by_value =
        of_batch_ ? -scale_[lane] * inverse_[lane] * diff_gamma_[lane] / count : 0.f;
    const float always = of_batch_ ? -scale_[lane] * diff_beta_[lane] / count : 0.f;
    slope[lane] = by_value;
    offset[lane] = always - by_value * mean_[lane];
  }
  const std::size_t lanes = planes_.lanes;
  for_each_part([&](std::size_t block, std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t image = first; image < last; ++image) {
      const std::size_t at = (image * planes_.blocks + block) * plane();
      combine(onednn::data(src_) + at, scale_.data() + block * lanes, slope.data() + block * lanes,
              offset.data() + block * lanes, planes_.pixels(), lanes, diff_ + at);
    }
  });
  std::fill(diff_ + rows_ * planes_.blocks * plane(), diff_ + onednn::stored(src_), 0.f);
}

}  // namespace sluice::ops

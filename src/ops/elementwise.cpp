#include "ops/elementwise.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/fail.h"
#include "base/parallel.h"
#include "onednn/describe.h"
#include "onednn/planes.h"

namespace sluice::ops {

namespace {

constexpr float kSeluAlpha = 1.6732632423543772848f;
constexpr float kSeluScale = 1.0507009873554804934f;

struct OneDnn {
  dnnl::algorithm algorithm;
  float alpha = 0;
  float beta = 0;
};

std::optional<OneDnn> of_onednn(const operation::Activate& activate) {
  switch (activate.function) {
    case Activation::sigmoid:
      return OneDnn{dnnl::algorithm::eltwise_logistic};
    case Activation::tanh:
      return OneDnn{dnnl::algorithm::eltwise_tanh};
    case Activation::elu:
      return OneDnn{dnnl::algorithm::eltwise_elu, static_cast<float>(activate.alpha)};
    case Activation::gelu:
      return OneDnn{dnnl::algorithm::eltwise_gelu_erf};
    case Activation::silu:
      return OneDnn{dnnl::algorithm::eltwise_swish, 1};
    case Activation::softplus:
      return OneDnn{dnnl::algorithm::eltwise_soft_relu, 1};
    case Activation::exponential:
      return OneDnn{dnnl::algorithm::eltwise_exp};
    case Activation::mish:
      return OneDnn{dnnl::algorithm::eltwise_mish};
    default:
      return std::nullopt;
  }
}

// Value and derivative of the others. NaN stays NaN.

struct Positive {
  static float value(float x) { return x <= 0 ? 0.f : x; }
  static float slope(float x) { return x > 0 ? 1.f : 0.f; }
};
struct LeakyRelu {
  float below;
  float value(float x) const { return x > 0 ? x : below * x; }
  float slope(float x) const { return x > 0 ? 1.f : below; }
};
struct Relu6 {
  static float value(float x) { return x <= 0 ? 0.f : x >= 6 ? 6.f : x; }
  static float slope(float x) { return ((x > 0) & (x < 6)) ? 1.f : 0.f; }
};
struct Selu {
  static float value(float x) { return kSeluScale * (x > 0 ? x : kSeluAlpha * std::expm1(x)); }
  static float slope(float x) { return kSeluScale * (x > 0 ? 1.f : kSeluAlpha * std::exp(x)); }
};
struct Softsign {
  static float value(float x) { return x / (1 + std::fabs(x)); }
  static float slope(float x) {
    const float one = 1 + std::fabs(x);
    return 1 / (one * one);
  }
};
struct HardSigmoid {
  static float value(float x) { return Relu6::value(x + 3) / 6; }
  static float slope(float x) { return ((x > -3) & (x < 3)) ? 1.f / 6 : 0.f; }
};
struct HardSilu {
  static float value(float x) { return x * HardSigmoid::value(x); }
  static float slope(float x) { return x <= -3 ? 0.f : x >= 3 ? 1.f : x / 3 + 0.5f; }
};

template <class Use>
void with_function(const operation::Activate& activate, const Use& use) {
  switch (activate.function) {
    case Activation::relu:
      return use(Positive());
    case Activation::leaky_relu:
      return use(LeakyRelu{static_cast<float>(activate.alpha)});
    case Activation::relu6:
      return use(Relu6());
    case Activation::selu:
      return use(Selu());
    case Activation::softsign:
      return use(Softsign());
    case Activation::hard_sigmoid:
      return use(HardSigmoid());
    case Activation::hard_silu:
      return use(HardSilu());
    default:
      throw machine_error("activation", "is none that works value by value");
  }
}

/// A block of channels may be filled up with zeros, which stay zeros.
void clear_filling(const dnnl::memory& tensor) {
  const onednn::Planes planes(tensor);
  const std::size_t last = planes.used_lanes(planes.blocks - 1);
  if (last == planes.lanes) return;
  float* values = onednn::data(tensor);
  for (std::size_t image = 0; image < planes.images; ++image) {
    float* block =
        values + (image * planes.blocks + planes.blocks - 1) * planes.pixels() * planes.lanes;
    for (std::size_t pixel = 0; pixel < planes.pixels(); ++pixel) {
      std::fill(block + pixel * planes.lanes + last, block + (pixel + 1) * planes.lanes, 0.f);
    }
  }
}

}  // namespace

Elementwise::Elementwise(Plan& plan, const dnnl::memory& src, const operation::Activate& activate)
    : Op(src, plan.take(src.get_desc())), activate_(activate) {
  const auto onednn = of_onednn(activate);
  if (!onednn) {
    with_function(activate, [](auto) {});  // throws where there is none
    return;
  }
  description_ = onednn::describe_eltwise(plan.context, plan.training, onednn->algorithm,
                                          src.get_desc(), onednn->alpha, onednn->beta);
  forward_ = {plan.context,
              dnnl::eltwise_forward(description_),
              {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, dst_}}};
}

dnnl::memory Elementwise::plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool) {
  const auto diff_src = plan.take_gradient(src_.get_desc());
  diff_dst_ = onednn::data(diff_dst);
  diff_src_ = onednn::data(diff_src);
  if (const auto onednn = of_onednn(activate_)) {
    const auto backward =
        onednn::describe_eltwise_backward(plan.context, description_, onednn->algorithm,
                                          src_.get_desc(), onednn->alpha, onednn->beta);
    backward_ = {
        plan.context,
        dnnl::eltwise_backward(backward),
        {{DNNL_ARG_SRC, src_}, {DNNL_ARG_DIFF_DST, diff_dst}, {DNNL_ARG_DIFF_SRC, diff_src}}};
  }
  return diff_src;
}

void Elementwise::forward(onednn::Context& context, const Pass&) {
  if (of_onednn(activate_)) return forward_.run(context);
  with_function(activate_, [&](auto function) {
    const float* src = onednn::data(src_);
    float* dst = onednn::data(dst_);
    parallel_for(onednn::stored(dst_), kGrainOfValues, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) dst[i] = function.value(src[i]);
    });
  });
  if (activate_.function == Activation::hard_sigmoid) clear_filling(dst_);
}

void Elementwise::backward_data(onednn::Context& context) {
  if (of_onednn(activate_)) return backward_.run(context);
  with_function(activate_, [&](auto function) {
    const float* src = onednn::data(src_);
    const float* diff_dst = diff_dst_;
    float* diff_src = diff_src_;
    parallel_for(onednn::stored(src_), kGrainOfValues, [=](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) diff_src[i] = diff_dst[i] * function.slope(src[i]);
    });
  });
}

}  // namespace sluice::ops

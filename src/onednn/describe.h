#pragma once

#include <limits>

#include "onednn/context.h"

// Differences between oneDNN 2 and 3, all in this file: version 3 takes the engine in place of an
// operation descriptor.
namespace sluice::onednn {

template <class Primitive, class... Arguments>
typename Primitive::primitive_desc describe(const Context& context,
                                            const dnnl::primitive_attr& attributes,
                                            const Arguments&... arguments) {
#if DNNL_VERSION_MAJOR >= 3
  return {context.engine(), arguments..., attributes};
#else
  return {typename Primitive::desc(arguments...), attributes, context.engine()};
#endif
}

template <class Primitive, class Forward, class... Arguments>
typename Primitive::primitive_desc describe_backward(const Context& context, const Forward& forward,
                                                     const Arguments&... arguments) {
#if DNNL_VERSION_MAJOR >= 3
  return {context.engine(), arguments..., forward};
#else
  return {typename Primitive::desc(arguments...), context.engine(), forward};
#endif
}

inline dnnl::eltwise_forward::primitive_desc describe_eltwise(const Context& context, bool training,
                                                              dnnl::algorithm algorithm,
                                                              const dnnl::memory::desc& desc,
                                                              float alpha, float beta) {
  const auto kind =
      training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
#if DNNL_VERSION_MAJOR >= 3
  return describe<dnnl::eltwise_forward>(context, {}, kind, algorithm, desc, desc, alpha, beta);
#else
  return describe<dnnl::eltwise_forward>(context, {}, kind, algorithm, desc, alpha, beta);
#endif
}

inline dnnl::eltwise_backward::primitive_desc describe_eltwise_backward(
    const Context& context, const dnnl::eltwise_forward::primitive_desc& forward,
    dnnl::algorithm algorithm, const dnnl::memory::desc& desc, float alpha, float beta) {
#if DNNL_VERSION_MAJOR >= 3
  return describe_backward<dnnl::eltwise_backward>(context, forward, algorithm, desc, desc, desc,
                                                   alpha, beta);
#else
  return describe_backward<dnnl::eltwise_backward>(context, forward, algorithm, desc, desc, alpha,
                                                   beta);
#endif
}

inline dnnl::pooling_forward::primitive_desc describe_pooling(
    const Context& context, bool training, dnnl::algorithm algorithm, const dnnl::memory::desc& src,
    const dnnl::memory::desc& dst, const dnnl::memory::dims& strides,
    const dnnl::memory::dims& size, const dnnl::memory::dims& padding_left,
    const dnnl::memory::dims& padding_right) {
  const auto kind =
      training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
#if DNNL_VERSION_MAJOR >= 3
  return describe<dnnl::pooling_forward>(context, {}, kind, algorithm, src, dst, strides, size,
                                         dnnl::memory::dims{0, 0}, padding_left, padding_right);
#else
  return describe<dnnl::pooling_forward>(context, {}, kind, algorithm, src, dst, strides, size,
                                         padding_left, padding_right);
#endif
}

inline dnnl::pooling_backward::primitive_desc describe_pooling_backward(
    const Context& context, const dnnl::pooling_forward::primitive_desc& forward,
    dnnl::algorithm algorithm, const dnnl::memory::desc& diff_src,
    const dnnl::memory::desc& diff_dst, const dnnl::memory::dims& strides,
    const dnnl::memory::dims& size, const dnnl::memory::dims& padding_left,
    const dnnl::memory::dims& padding_right) {
#if DNNL_VERSION_MAJOR >= 3
  return describe_backward<dnnl::pooling_backward>(context, forward, algorithm, diff_src, diff_dst,
                                                   strides, size, dnnl::memory::dims{0, 0},
                                                   padding_left, padding_right);
#else
  return describe_backward<dnnl::pooling_backward>(context, forward, algorithm, diff_src, diff_dst,
                                                   strides, size, padding_left, padding_right);
#endif
}

/// Attribute that applies ReLU to a primitive's result while it is in registers; the largest result
/// is max_value, or infinite.
inline dnnl::primitive_attr fused_relu(float max_value) {
  const bool is_limited = max_value < std::numeric_limits<float>::infinity();
  const auto algorithm = is_limited ? dnnl::algorithm::eltwise_clip : dnnl::algorithm::eltwise_relu;
  const float beta = is_limited ? max_value : 0.f;
  dnnl::post_ops after;
#if DNNL_VERSION_MAJOR >= 3
  after.append_eltwise(algorithm, 0.f, beta);
#else
  after.append_eltwise(1.f, algorithm, 0.f, beta);
#endif
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(after);
  return attributes;
}

}  // namespace sluice::onednn

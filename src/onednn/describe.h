#pragma once

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

/// Attribute that applies ReLU to a primitive's result while it is in registers.
inline dnnl::primitive_attr fused_relu(bool relu) {
  dnnl::primitive_attr attributes;
  if (relu) {
    dnnl::post_ops after;
#if DNNL_VERSION_MAJOR >= 3
    after.append_eltwise(dnnl::algorithm::eltwise_relu, 0.f, 0.f);
#else
    after.append_eltwise(1.f, dnnl::algorithm::eltwise_relu, 0.f, 0.f);
#endif
    attributes.set_post_ops(after);
  }
  return attributes;
}

}  // namespace sluice::onednn

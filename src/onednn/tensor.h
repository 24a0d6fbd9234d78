#pragma once

#include "base/workspace.h"
#include "onednn/context.h"

namespace sluice::onednn {

using Tag = dnnl::memory::format_tag;

/// fp32 in the given layout; with Tag::any a primitive chooses it.
inline dnnl::memory::desc layout(const dnnl::memory::dims& dims, Tag tag) {
  return {dims, dnnl::memory::data_type::f32, tag};
}

/// Describes images in blocks of 8 or 16 channels.
inline dnnl::memory::desc in_blocks(const dnnl::memory::dims& dims, int channels) {
  return layout(dims, channels == 16 ? Tag::nChw16c : Tag::nChw8c);
}

inline dnnl::memory at(const Context& context, const dnnl::memory::desc& desc, const float* data) {
  return {desc, context.engine(), const_cast<float*>(data)};
}

inline dnnl::memory take(const Context& context, Workspace& workspace,
                         const dnnl::memory::desc& desc) {
  return at(context, desc, workspace.take(desc.get_size()));
}

inline float* data(const dnnl::memory& tensor) {
  return static_cast<float*>(tensor.get_data_handle());
}

/// Returns (N, C, H, W) or (N, C) in any layout.
inline dnnl::memory::dims dims_of(const dnnl::memory& tensor) {
#if DNNL_VERSION_MAJOR >= 3
  return tensor.get_desc().get_dims();
#else
  return tensor.get_desc().dims();
#endif
}

/// Elements in memory, including the layout's padding.
inline std::size_t stored(const dnnl::memory& tensor) {
  return tensor.get_desc().get_size() / sizeof(float);
}

/// Copies `from` to the layout of `to`; the step is empty if they are the same tensor.
inline Step reorder(Context& context, const dnnl::memory& from, const dnnl::memory& to) {
  if (from.get_data_handle() == to.get_data_handle()) return {};
  return {context, dnnl::reorder(from, to), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}};
}

/// Returns `tensor` itself if it has the layout, else new memory that a reorder() must fill.
inline dnnl::memory in_layout(const Context& context, Workspace& workspace,
                              const dnnl::memory& tensor, const dnnl::memory::desc& desc) {
  return tensor.get_desc() == desc ? tensor : take(context, workspace, desc);
}

}  // namespace sluice::onednn

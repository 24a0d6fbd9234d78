#include "ops/softmax.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"

namespace sluice::ops {

// Rows have ten or twenty values: a plain loop is as fast as a primitive, and gives the same result
// on every machine.

Softmax::Softmax(Plan& plan, const dnnl::memory& src) : Op(src, {}) {
  if (onednn::dims_of(src).size() != 2) {
    throw user_error("softmax", "takes one axis, not {}: put a Flatten before it",
                     image_text(onednn::dims_of(src)));
  }
  dst_ = plan.take(src.get_desc());
}

dnnl::memory Softmax::plan_backward(Plan&, const dnnl::memory& diff_dst, bool) {
  diff_ = onednn::data(diff_dst);
  return diff_dst;
}

void Softmax::forward(onednn::Context&, const Pass&) {
  const auto dims = onednn::dims_of(src_);
  const auto classes = dims[1];
  for (std::int64_t n = 0; n < dims[0]; ++n) {
    const float* logits = onednn::data(src_) + n * classes;
    float* out = onednn::data(dst_) + n * classes;
    const float largest = *std::max_element(logits, logits + classes);
    float sum = 0;
    for (std::int64_t c = 0; c < classes; ++c) sum += out[c] = std::exp(logits[c] - largest);
    for (std::int64_t c = 0; c < classes; ++c) out[c] /= sum;
  }
}

void Softmax::backward_data(onednn::Context&) {
  const auto dims = onednn::dims_of(dst_);
  const auto classes = dims[1];
  for (std::int64_t n = 0; n < dims[0]; ++n) {
    const float* p = onednn::data(dst_) + n * classes;
    float* diff = diff_ + n * classes;
    float dot = 0;
    for (std::int64_t c = 0; c < classes; ++c) dot += diff[c] * p[c];
    for (std::int64_t c = 0; c < classes; ++c) diff[c] = p[c] * (diff[c] - dot);
  }
}

}  // namespace sluice::ops

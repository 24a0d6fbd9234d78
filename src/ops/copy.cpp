#include "ops/copy.h"

#include <algorithm>

#include "base/parallel.h"

namespace sluice::ops {

Copy::Copy(Plan& plan, const dnnl::memory& src) : Op(src, plan.take(src.get_desc())) {}

dnnl::memory Copy::plan_backward(Plan&, const dnnl::memory& diff_dst, bool) {
  return diff_dst;
}

void Copy::forward(onednn::Context&, const Pass&) {
  const float* from = onednn::data(src_);
  float* to = onednn::data(dst_);
  parallel_for(onednn::stored(dst_), kGrainOfValues, [&](std::size_t begin, std::size_t end) {
    std::copy(from + begin, from + end, to + begin);
  });
}

}  // namespace sluice::ops

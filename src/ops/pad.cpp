#include "ops/pad.h"

#include <algorithm>

#include "base/parallel.h"

namespace sluice::ops {

namespace {

dnnl::memory padded(Plan& plan, const dnnl::memory& src, const operation::Pad& pad) {
  auto dims = onednn::dims_of(src);
  dims[2] += pad.top + pad.bottom;
  dims[3] += pad.left + pad.right;
  return plan.take(onednn::layout(dims, onednn::Planes(src).tag));
}

}  // namespace

Pad::Pad(Plan& plan, const dnnl::memory& src, const operation::Pad& pad)
    : Op(src, padded(plan, src, pad)),
      inner_(src),
      outer_(dst_),
      top_(static_cast<std::size_t>(pad.top)),
      left_(static_cast<std::size_t>(pad.left)) {}

dnnl::memory Pad::plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool) {
  const auto diff_src = plan.take_gradient(src_.get_desc());
  diff_dst_ = onednn::data(diff_dst);
  diff_src_ = onednn::data(diff_src);
  return diff_src;
}

void Pad::forward(onednn::Context&, const Pass&) {
  const std::size_t row = inner_.width * inner_.lanes;
  const std::size_t outer_row = outer_.width * outer_.lanes;
  parallel_for(inner_.images * inner_.blocks, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const float* from = onednn::data(src_) + i * inner_.height * row;
      float* to = onednn::data(dst_) + i * outer_.height * outer_row;
      float* const last = to + outer_.height * outer_row;
      std::fill(to, to + top_ * outer_row, 0.f);
      to += top_ * outer_row;
      for (std::size_t y = 0; y < inner_.height; ++y, from += row, to += outer_row) {
        float* const image = std::fill_n(to, left_ * inner_.lanes, 0.f);
        std::fill(std::copy(from, from + row, image), to + outer_row, 0.f);
      }
      std::fill(to, last, 0.f);
    }
  });
}

void Pad::backward_data(onednn::Context&) {
  const std::size_t row = inner_.width * inner_.lanes;
  const std::size_t outer_row = outer_.width * outer_.lanes;
  parallel_for(inner_.images * inner_.blocks, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const float* from = diff_dst_ + (i * outer_.height + top_) * outer_row + left_ * inner_.lanes;
      float* to = diff_src_ + i * inner_.height * row;
      for (std::size_t y = 0; y < inner_.height; ++y, from += outer_row, to += row) {
        std::copy(from, from + row, to);
      }
    }
  });
}

}  // namespace sluice::ops

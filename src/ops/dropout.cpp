#include "ops/dropout.h"

#include <cmath>

#include "base/fail.h"
#include "base/parallel.h"
#include "base/random.h"
#include "base/simd.h"

namespace sluice::ops {

using onednn::Tag;

namespace {

/// Where in Keras's order each stored element of an image is. Sending the numbers themselves
/// through oneDNN's reorder answers for every layout there is; floats hold them exactly.
std::vector<std::uint32_t> order_in_memory(Plan& plan, const dnnl::memory& src) {
  const auto dims = onednn::dims_of(src);
  if (dims.size() != 4) return {};  // already in order
  const auto plain_layout = onednn::layout(dims, Tag::nhwc);
  if (src.get_desc() == plain_layout) return {};

  dnnl::memory plain(plain_layout, plan.context.engine());
  dnnl::memory stored(src.get_desc(), plan.context.engine());
  const std::int64_t elements = dims[1] * dims[2] * dims[3];
  for (std::int64_t i = 0; i < dims[0] * elements; ++i) {
    onednn::data(plain)[i] = static_cast<float>(i % elements);
  }
  onednn::reorder(plan.context, plain, stored).run(plan.context);
  std::vector<std::uint32_t> order(onednn::stored(src) / dims[0]);
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = static_cast<std::uint32_t>(onednn::data(stored)[i]);
  }
  return order;
}

SLUICE_VECTORISED void scale_kept(float* values, const std::uint8_t* kept, float scale,
                                  std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) values[i] = kept[i] != 0 ? values[i] * scale : 0.f;
}

}  // namespace

Dropout::Dropout(Plan& plan, const dnnl::memory& src, float rate, std::uint32_t number)
    : Op(src, src), number_(number) {
  if (!(rate >= 0.f && rate < 1.f)) {
    throw user_error("dropout", "a rate of {}: must be at least 0 and below 1", rate);
  }
  threshold_ = static_cast<std::uint32_t>(std::lround(rate * 65536.f));
  scale_ = 1.f / (1.f - rate);
  const auto dims = onednn::dims_of(src);
  images_ = dims[0];
  elements_ = 1;
  for (std::size_t axis = 1; axis < dims.size(); ++axis) elements_ *= dims[axis];
  stored_ = onednn::stored(src) / images_;
  order_ = order_in_memory(plan, src);
  kept_.resize(images_ * elements_);
}

dnnl::memory Dropout::plan_backward(Plan&, const dnnl::memory& diff_dst, bool) {
  diff_ = onednn::data(diff_dst);
  return diff_dst;
}

void Dropout::draw(const Pass& pass) {
  constexpr std::size_t kPerCall = 8;  // 16-bit numbers in 128 bits
  const RandomStream random(pass.seed, Purpose::dropout, pass.stream + number_, pass.step);
  const std::size_t calls = (elements_ + kPerCall - 1) / kPerCall;
  parallel_for(images_ * calls, 512, [&](std::size_t begin, std::size_t end) {
    for (std::size_t call = begin; call < end; ++call) {
      const auto bits = random.bits(static_cast<std::uint32_t>(call));
      const std::size_t first = call % calls * kPerCall;
      std::uint8_t* kept = kept_.data() + call / calls * elements_ + first;
      const std::size_t count = std::min(kPerCall, elements_ - first);
      for (std::size_t i = 0; i < count; ++i) {
        kept[i] = ((bits[i / 2] >> (i % 2 * 16)) & 0xffff) >= threshold_;
      }
    }
  });
}

void Dropout::apply(float* values) const {
  parallel_for(images_, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t n = begin; n < end; ++n) {
      float* image = values + n * stored_;
      const std::uint8_t* kept = kept_.data() + n * elements_;
      if (order_.empty()) {
        scale_kept(image, kept, scale_, elements_);
        continue;
      }
      for (std::size_t i = 0; i < stored_; ++i) {
        image[i] = kept[order_[i]] != 0 ? image[i] * scale_ : 0.f;
      }
    }
  });
}

void Dropout::forward(onednn::Context&, const Pass& pass) {
  active_ = pass.dropout;
  if (!active_) return;
  draw(pass);
  apply(onednn::data(src_));
}

void Dropout::backward(onednn::Context&) {
  if (active_) apply(diff_);
}

}  // namespace sluice::ops

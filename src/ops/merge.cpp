#include "ops/merge.h"

#include <algorithm>

#include "base/parallel.h"
#include "base/simd.h"
#include "onednn/planes.h"

namespace sluice::ops {

using onednn::Tag;

namespace {

constexpr std::size_t kChunk = 4096;  ///< values that stay in the first-level cache

/// Calls body(begin, end) for parts of all values, in parallel.
template <class Body>
void for_each_chunk(const dnnl::memory& values, const Body& body) {
  parallel_for(onednn::stored(values), kGrainOfValues, [&](std::size_t begin, std::size_t end) {
    for (; begin < end; begin += kChunk) body(begin, std::min(begin + kChunk, end));
  });
}

SLUICE_VECTORISED void add(const float* __restrict values, std::size_t count,
                           float* __restrict to) {
  for (std::size_t i = 0; i < count; ++i) to[i] += values[i];
}

SLUICE_VECTORISED void multiply(const float* __restrict values, std::size_t count,
                                float* __restrict to) {
  for (std::size_t i = 0; i < count; ++i) to[i] *= values[i];
}

}  // namespace

void Merge::bring_into(Plan& plan, Tag tag) {
  for (const dnnl::memory& source : sources_) {
    const auto wanted = onednn::layout(onednn::dims_of(source), tag);
    inputs_.push_back(onednn::in_layout(plan.context, plan.workspace, source, wanted));
    before_.push_back(onednn::reorder(plan.context, source, inputs_.back()));
  }
  diffs_.resize(sources_.size());
}

std::vector<dnnl::memory> Merge::plan_backward_of_all(Plan& plan, const dnnl::memory& diff_dst,
                                                      const std::vector<bool>& wanted) {
  diff_dst_ = onednn::data(diff_dst);
  std::vector<dnnl::memory> diffs(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i]) continue;
    diffs[i] = plan.take_gradient(sources_[i].get_desc());
    const auto common =
        onednn::in_layout(plan.context, plan.workspace, diffs[i], inputs_[i].get_desc());
    after_.push_back(onednn::reorder(plan.context, common, diffs[i]));
    diffs_[i] = onednn::data(common);
  }
  return diffs;
}

void Merge::forward(onednn::Context& context, const Pass&) {
  for (const onednn::Step& step : before_) step.run(context);
  merge();
}

void Merge::backward_data(onednn::Context& context) {
  divide();
  for (const onednn::Step& step : after_) step.run(context);
}

Add::Add(Plan& plan, const std::vector<dnnl::memory>& sources, const FusedRelu& relu)
    : Merge(sources, plan.take(sources[0].get_desc())), relu_(relu) {
  bring_into(plan, onednn::Planes(sources[0]).tag);
}

void Add::merge() {
  for_each_chunk(dst_, [&](std::size_t begin, std::size_t end) {
    float* dst = onednn::data(dst_) + begin;
    std::copy_n(onednn::data(inputs_[0]) + begin, end - begin, dst);
    for (std::size_t i = 1; i < inputs_.size(); ++i) {
      add(onednn::data(inputs_[i]) + begin, end - begin, dst);
    }
    if (relu_.applied) relu(dst, end - begin, relu_.max_value);
  });
}

void Add::divide() {
  for_each_chunk(dst_, [&](std::size_t begin, std::size_t end) {
    if (relu_.applied) {
      relu_backward(onednn::data(dst_) + begin, end - begin, diff_dst_ + begin, relu_.max_value);
    }
    for (float* diff : diffs_) {
      if (diff != nullptr) std::copy(diff_dst_ + begin, diff_dst_ + end, diff + begin);
    }
  });
}

Multiply::Multiply(Plan& plan, const std::vector<dnnl::memory>& sources)
    : Merge(sources, plan.take(sources[0].get_desc())) {
  bring_into(plan, onednn::Planes(sources[0]).tag);
}

void Multiply::merge() {
  for_each_chunk(dst_, [&](std::size_t begin, std::size_t end) {
    float* dst = onednn::data(dst_) + begin;
    std::copy_n(onednn::data(inputs_[0]) + begin, end - begin, dst);
    for (std::size_t i = 1; i < inputs_.size(); ++i) {
      multiply(onednn::data(inputs_[i]) + begin, end - begin, dst);
    }
  });
}

void Multiply::divide() {
  for_each_chunk(dst_, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = 0; i < diffs_.size(); ++i) {
      if (diffs_[i] == nullptr) continue;
      float* diff = diffs_[i] + begin;
      std::copy(diff_dst_ + begin, diff_dst_ + end, diff);
      for (std::size_t k = 0; k < inputs_.size(); ++k) {
        if (k != i) multiply(onednn::data(inputs_[k]) + begin, end - begin, diff);
      }
    }
  });
}

namespace {

dnnl::memory::dims concatenated(const std::vector<dnnl::memory>& sources) {
  auto dims = onednn::dims_of(sources[0]);
  for (std::size_t i = 1; i < sources.size(); ++i) dims[1] += onednn::dims_of(sources[i])[1];
  return dims;
}

/// Blocks of channels stay whole where every source fills its own.
Tag common_tag(const std::vector<dnnl::memory>& sources) {
  const onednn::Planes first(sources[0]);
  if (first.tag == Tag::nc) return Tag::nc;
  const bool whole = std::ranges::all_of(sources, [&](const dnnl::memory& source) {
    const onednn::Planes planes(source);
    return planes.tag == first.tag && planes.channels % planes.lanes == 0;
  });
  return whole ? first.tag : Tag::nhwc;
}

}  // namespace

Concatenate::Concatenate(Plan& plan, const std::vector<dnnl::memory>& sources)
    : Merge(sources, plan.take(onednn::layout(concatenated(sources), common_tag(sources)))) {
  const Tag tag = common_tag(sources);
  bring_into(plan, tag);
  const onednn::Planes planes(dst_);
  const bool pixel_by_pixel = tag == Tag::nhwc || tag == Tag::nc;
  rows_ = pixel_by_pixel ? planes.images * planes.pixels() : planes.images;
  for (const dnnl::memory& input : inputs_) widths_.push_back(onednn::stored(input) / rows_);
  width_ = onednn::stored(dst_) / rows_;
}

void Concatenate::merge() {
  parallel_for(rows_, 1 + kGrainOfValues / width_, [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) {
      float* to = onednn::data(dst_) + row * width_;
      for (std::size_t i = 0; i < inputs_.size(); ++i) {
        const float* from = onednn::data(inputs_[i]) + row * widths_[i];
        to = std::copy(from, from + widths_[i], to);
      }
    }
  });
}

void Concatenate::divide() {
  parallel_for(rows_, 1 + kGrainOfValues / width_, [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) {
      const float* from = diff_dst_ + row * width_;
      for (std::size_t i = 0; i < diffs_.size(); ++i) {
        if (diffs_[i] != nullptr) std::copy(from, from + widths_[i], diffs_[i] + row * widths_[i]);
        from += widths_[i];
      }
    }
  });
}

}  // namespace sluice::ops

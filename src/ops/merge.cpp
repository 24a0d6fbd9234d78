#include "ops/merge.h"

#include <algorithm>
#include <numeric>

#include "base/parallel.h"
#include "onednn/planes.h"

namespace sluice::ops {

using onednn::Tag;

namespace {

/// dst = the first source, changed by each value of the others in turn.
template <class Change>
void merge_values(const std::vector<dnnl::memory>& sources, const dnnl::memory& into,
                  const Change& change) {
  float* dst = onednn::data(into);
  parallel_for(onednn::stored(into), kGrainOfValues, [&](std::size_t begin, std::size_t end) {
    const float* first = onednn::data(sources[0]);
    std::copy(first + begin, first + end, dst + begin);
    for (std::size_t i = 1; i < sources.size(); ++i) {
      const float* next = onednn::data(sources[i]);
      for (std::size_t j = begin; j < end; ++j) change(dst[j], next[j]);
    }
  });
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

Add::Add(Plan& plan, const std::vector<dnnl::memory>& sources)
    : Merge(sources, plan.take(sources[0].get_desc())) {
  bring_into(plan, onednn::Planes(sources[0]).tag);
}

void Add::merge() {
  merge_values(inputs_, dst_, [](float& value, float next) { value += next; });
}

void Add::divide() {
  parallel_for(onednn::stored(dst_), kGrainOfValues, [&](std::size_t begin, std::size_t end) {
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
  merge_values(inputs_, dst_, [](float& value, float next) { value *= next; });
}

void Multiply::divide() {
  parallel_for(onednn::stored(dst_), kGrainOfValues, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = 0; i < diffs_.size(); ++i) {
      float* diff = diffs_[i];
      if (diff == nullptr) continue;
      std::copy(diff_dst_ + begin, diff_dst_ + end, diff + begin);
      for (std::size_t k = 0; k < inputs_.size(); ++k) {
        if (k == i) continue;
        const float* other = onednn::data(inputs_[k]);
        for (std::size_t j = begin; j < end; ++j) diff[j] *= other[j];
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
}

void Concatenate::merge() {
  const std::size_t width = std::accumulate(widths_.begin(), widths_.end(), std::size_t{0});
  parallel_for(rows_, 1 + kGrainOfValues / width, [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) {
      float* to = onednn::data(dst_) + row * width;
      for (std::size_t i = 0; i < inputs_.size(); ++i) {
        const float* from = onednn::data(inputs_[i]) + row * widths_[i];
        to = std::copy(from, from + widths_[i], to);
      }
    }
  });
}

void Concatenate::divide() {
  const std::size_t width = std::accumulate(widths_.begin(), widths_.end(), std::size_t{0});
  parallel_for(rows_, 1 + kGrainOfValues / width, [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) {
      const float* from = diff_dst_ + row * width;
      for (std::size_t i = 0; i < diffs_.size(); ++i) {
        if (diffs_[i] != nullptr) std::copy(from, from + widths_[i], diffs_[i] + row * widths_[i]);
        from += widths_[i];
      }
    }
  });
}

}  // namespace sluice::ops

#include "runtime/experts.h"

#include "base/simd.h"
#include "graph/weights.h"
#include "onednn/planes.h"
#include "runtime/image_rows.h"
#include "runtime/network.h"

namespace sluice {

namespace {

SLUICE_VECTORISED void add_image(const float* values, std::size_t count, float* to) {
  for (std::size_t i = 0; i < count; ++i) to[i] += values[i];
}

}  // namespace

Experts::Experts(const std::vector<Sequential>& experts, const PlacedWeights& weights,
                 const ExpertsOptions& options, const dnnl::memory& source)
    : rows_(experts.size()), output_(summarize(experts.front()).back().output) {
  for (std::vector<int>& rows : rows_) {
    rows.reserve(static_cast<std::size_t>(onednn::dims_of(source).front()));
  }
  for (const Sequential& expert : experts) names_.push_back(expert.name);
  if (!compile(experts, weights, options, source, false)) {
    compile(experts, weights, options, source, true);
  }
}

Experts::~Experts() = default;

bool Experts::compile(const std::vector<Sequential>& experts, const PlacedWeights& weights,
                      const ExpertsOptions& options, const dnnl::memory& source,
                      bool plain_output) {
  const onednn::Planes planes(source);
  NetworkOptions of_each{.batch = static_cast<int>(planes.images),
                         .training = options.training,
                         .compute = options.compute,
                         .usual_batch = options.usual_images,
                         .diff_input = options.diff_input,
                         .plain_output = plain_output};
  if (onednn::dims_of(source).size() == 4) of_each.input_layout = planes.tag;
  networks_.clear();
  auto next = weights.tensors.begin();
  std::optional<onednn::Tag> common;
  for (const Sequential& expert : experts) {
    const auto end = next + static_cast<std::ptrdiff_t>(tensors_of(expert).size());
    networks_.push_back(std::make_unique<Network>(
        context_, expert, PlacedWeights{{next, end}, weights.values, weights.gradients}, of_each));
    next = end;
    const std::optional<onednn::Tag> layout = networks_.back()->output_layout();
    if (!layout || common.value_or(*layout) != *layout) return false;
    common = layout;
  }
  output_layout_ = plain_output && output_.size() == 3 ? onednn::Tag::nhwc : *common;
  return true;
}

void Experts::clear_rows() {
  for (std::vector<int>& rows : rows_) rows.clear();
}

std::span<const float> Experts::forward(std::size_t expert, const dnnl::memory& source,
                                        const ops::Pass& pass) {
  const std::vector<int>& rows = rows_[expert];
  Network& network = *networks_[expert];
  const std::size_t floats = floats_of_image(source);
  const float* from = onednn::data(source);
  float* input = network.input().data();
  for_each_image(rows.size(), floats, [&](std::size_t i) {
    std::copy_n(from + rows[i] * floats, floats, input + i * floats);
  });
  ops::Pass own = pass;
  own.rows = static_cast<int>(rows.size());
  // Dropout masks of its own: see stream_of() in network.cpp.
  own.stream += static_cast<std::uint64_t>(expert + 1) << 32;
  return network.forward(own);
}

void Experts::add_diff_input(std::size_t expert, const dnnl::memory& diff_source) {
  const std::vector<int>& rows = rows_[expert];
  const std::size_t floats = floats_of_image(diff_source);
  const float* diff = networks_[expert]->diff_input().data();
  float* to = onednn::data(diff_source);
  for_each_image(rows.size(), floats, [&](std::size_t i) {
    add_image(diff + i * floats, floats, to + rows[i] * floats);
  });
}

dnnl::memory::desc Experts::output_desc(int batch) const {
  if (output_.size() != 3) return onednn::layout({batch, element_count(output_)}, onednn::Tag::nc);
  return onednn::layout({batch, output_[2], output_[0], output_[1]}, output_layout_);
}

std::size_t Experts::bytes() const {
  std::size_t bytes = context_.bytes();
  for (const auto& network : networks_) bytes += network->bytes();
  return bytes;
}

}  // namespace sluice

#include "runtime/network.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

#include "base/fail.h"
#include "base/parallel.h"
#include "base/timer.h"
#include "graph/layer_types.h"
#include "graph/weights.h"
#include "graph/wiring.h"
#include "onednn/planes.h"
#include "ops/cond_conv2d.h"
#include "ops/convolution/algorithm.h"
#include "ops/dense.h"
#include "ops/softmax.h"

namespace sluice {

namespace {

/// Batches are rounded up to one of this many sizes: routed batches differ from step to step, and
/// finer sizes cost more to compile than they save (a quarter of a size on average).
constexpr int kBatchSizes = 8;

/// The batch sizes of a network, from the largest on. Up to twice the usual batch they are finer;
/// above each is a quarter larger than the one before.
std::vector<int> batch_sizes(int largest, int usual) {
  std::vector<int> sizes;
  const int fine = usual > 0 && 2 * usual < largest ? 2 * usual : largest;
  for (int batch = largest; batch > fine; batch = batch * 4 / 5) sizes.push_back(batch);
  const int grain = ((fine == largest ? fine : usual) + kBatchSizes - 1) / kBatchSizes;
  for (int batch = fine; batch > 0; batch -= grain) sizes.push_back(batch);
  return sizes;
}

/// Stages below 2^28 and parts below 2^20 have streams of their own, and 256 numbers each for their
/// dropouts. Stages below 2^16 of parts below 2^8 fill the lower half.
std::uint64_t stream_of(const RandomKey& key) {
  const std::uint64_t stage = key.stage;
  const std::uint64_t part = key.part;
  return (stage & 0xffff) << 16 | (part & 0xff) << 8 | part >> 8 << 32 | stage >> 16 << 44;
}

/// Checks what a user gives.
PlacedWeights checked(const Sequential& model, const Weights& weights,
                      const NetworkOptions& options) {
  constexpr int kMostBatch = 1 << 20;
  if (options.batch < 1 || options.batch > kMostBatch) {
    throw user_error("compile", "a batch of {}: must be from 1 to {}", options.batch, kMostBatch);
  }
  require_weights(model, weights);
  return {weights.tensors(), weights.values(), {}};
}

dnnl::memory::desc input_desc(const Shape& input, int batch,
                              const std::optional<onednn::Tag>& tag) {
  if (input.size() != 3) return onednn::layout({batch, element_count(input)}, onednn::Tag::nc);
  return onednn::layout({batch, input[2], input[0], input[1]}, tag.value_or(onednn::Tag::nhwc));
}

std::vector<LayerProfile> blank_profile(const Sequential& model, bool training) {
  std::vector<LayerProfile> profile;
  for (const LayerSummary& layer : summarize(model)) {
    profile.push_back({.model = model.name,
                       .layer = layer.name,
                       .flops = training ? layer.training_flops : layer.flops});
  }
  return profile;
}

void add(const Backward::Sum& sum) {
  parallel_for(sum.count, kGrainOfValues, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) sum.into[i] += sum.of[i];
  });
}

}  // namespace

std::string to_string(Compute compute) {
  switch (compute) {
    case Compute::exact:
      return "exact";
    case Compute::fast:
      return "fast";
    case Compute::automatic:
      break;
  }
  return "auto";
}

double LayerProfile::operations() const {
  const int backward = (weights_seconds > 0 ? 1 : 0) + (data_seconds > 0 ? 1 : 0);
  return flops * static_cast<double>(forward_images + backward * backward_images);
}

Compute on_this_processor(Compute compute) {
  const bool can = ops::convolution::winograd() != nullptr;
  return compute != Compute::exact && can ? Compute::fast : Compute::exact;
}

Network::Network(onednn::Context& context, const Sequential& model, const Weights& weights,
                 const NetworkOptions& options)
    : Network(context, model, checked(model, weights, options), options) {}

Network::Network(onednn::Context& context, const Sequential& model, PlacedWeights weights,
                 const NetworkOptions& options)
    : context_(context), model_(model), options_(options), weights_(std::move(weights)) {
  if (options.training && weights_.gradients.empty()) {
    std::size_t trained = 0;
    for (const Weights::Tensor& tensor : weights_.tensors) {
      if (tensor.trained) trained += tensor.size;
    }
    gradients_.resize(trained);
    weights_.gradients = gradients_;
  }
  try {
    // The largest first: the workspace then has room for all.
    for (const int batch : batch_sizes(options.batch, options.usual_batch)) {
      programs_.push_back(build(batch));
    }
  } catch (const dnnl::error& error) {
    throw machine_error("onednn", "cannot compile {}: {}", model.name, error.what());
  }
  std::reverse(programs_.begin(), programs_.end());
}

Network::Program Network::build(int batch) {
  workspace_.rewind();
  const auto desc = input_desc(model_.input, batch, options_.input_layout);
  input_floats_ = desc.get_size() / sizeof(float) / static_cast<std::size_t>(batch);
  input_ = workspace_.take(options_.batch * input_floats_ * sizeof(float));
  const bool winograd = on_this_processor(options_.compute) == Compute::fast;
  context_.release_all_passing();
  ops::Plan plan{context_, workspace_, options_.training, winograd};
  Program program{.batch = batch};
  program.ops = build_ops(plan, model_, weights_, onednn::at(context_, desc, input_),
                          options_.plain_output, experts_);
  if (program.ops.empty()) {
    throw user_error("compile", "{}: its layers compute nothing: add one that does", model_.name);
  }
  const ops::Op& last = *program.ops.back().op;
  program.output = last.dst();
  ends_in_softmax_ = dynamic_cast<const ops::Softmax*>(&last) != nullptr;
  if (ends_in_softmax_) program.logits = last.src();
  outputs_ = static_cast<int>(onednn::stored(program.output)) / batch;
  if (!options_.training) return program;
  plan_backward(program, plan);
  for (std::size_t i = 0; i < program.ops.size(); ++i) {
    if (trains_kernel_of(*program.ops[i].op)) program.dense.push_back(i);
  }
  return program;
}

/// Whether it is of a dense layer with a kernel that is not frozen.
bool Network::trains_kernel_of(const ops::Op& op) const {
  const auto* dense = dynamic_cast<const ops::Dense*>(&op);
  if (dense == nullptr || !dense->has_parameters()) return false;
  const float* kernel = dense->gradients().data();
  return std::ranges::any_of(weights_.tensors, [&](const Weights::Tensor& tensor) {
    return tensor.trained && &weights_.gradients[tensor.offset] == kernel;
  });
}

/// Where the gradients of a layer begin; their end for a layer without any.
std::size_t Network::first_gradient_of(std::size_t layer) const {
  std::size_t first = weights_.gradients.size();
  for (const Weights::Tensor& tensor : weights_.tensors) {
    const bool is_of_it = tensor.trained && tensor.layer == name_of(model_.layers[layer]);
    if (is_of_it) first = std::min(first, tensor.offset);
  }
  return first;
}

void Network::plan_backward(Program& program, ops::Plan& plan) {
  std::vector<bool> needs_gradient;  // the result of each op
  const auto needs = [&](int source) {
    return source == kImages ? options_.diff_input : needs_gradient[source];
  };
  for (const LayerOp& each : program.ops) {
    needs_gradient.push_back(each.op->has_parameters() || std::ranges::any_of(each.sources, needs));
    plan.gradient_bytes = std::max({plan.gradient_bytes, each.op->src().get_desc().get_size(),
                                    each.op->dst().get_desc().get_size()});
  }
  std::size_t layer = model_.layers.size();
  std::size_t later = weights_.gradients.size();
  std::vector<dnnl::memory> gradients(program.ops.size());
  program.diff_output = gradients.back() = plan.take_gradient(program.output.get_desc());
  for (std::size_t i = program.ops.size(); i-- > 0;) {
    if (!needs_gradient[i]) continue;
    const LayerOp& each = program.ops[i];
    while (layer > each.layer + 1) later = std::min(later, first_gradient_of(--layer));
    Backward step{.op = i, .later = later};
    std::vector<bool> wanted;
    for (const int source : each.sources) {
      wanted.push_back(needs(source));
      step.data = step.data || wanted.back();
    }
    const auto diffs = each.op->plan_backward_of_all(plan, gradients[i], wanted);
    bool passed_on = false;
    for (std::size_t k = 0; k < wanted.size(); ++k) {
      if (!wanted[k]) continue;
      passed_on = passed_on || diffs[k].get_data_handle() == gradients[i].get_data_handle();
      const int source = each.sources[k];
      dnnl::memory& gradient = source == kImages ? program.diff_input : gradients[source];
      if (gradient) {
        step.sums.push_back(
            {onednn::data(gradient), onednn::data(diffs[k]), onednn::stored(gradient)});
        plan.release_gradient(diffs[k]);
      } else {
        gradient = diffs[k];
      }
    }
    if (!passed_on) plan.release_gradient(gradients[i]);
    program.backward.push_back(std::move(step));
  }
}

std::optional<onednn::Tag> Network::output_layout() const {
  std::optional<onednn::Tag> layout;
  for (const Program& program : programs_) {
    const onednn::Tag tag = onednn::Planes(program.output).tag;
    if (layout.value_or(tag) != tag) return {};
    layout = tag;
  }
  return layout;
}

void Network::clear_gradients() {
  for (const Weights::Tensor& tensor : weights_.tensors) {
    if (!tensor.trained) continue;
    std::ranges::fill(weights_.gradients.subspan(tensor.offset, tensor.size), 0.f);
  }
}

std::string Network::first_not_finite() const {
  const auto all_finite = [](std::span<const float> values) {
    return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
  };
  const std::vector<LayerSummary> layers = summarize(model_);
  const auto& ops = last_ != nullptr ? last_->ops : programs_.back().ops;
  for (const LayerOp& each : ops) {
    const std::string& name = layers[each.layer].name;
    bool finite = true;
    for (const Weights::Tensor& tensor : weights_.tensors) {
      if (tensor.layer != name) continue;
      finite = finite && all_finite(weights_.values.subspan(tensor.offset, tensor.size));
    }
    if (last_ != nullptr) {
      const dnnl::memory& dst = each.op->dst();
      const std::size_t image = onednn::stored(dst) / last_->batch;
      finite = finite && all_finite({onednn::data(dst), image * last_count_});
    }
    if (!finite) return fmt::format("{}'s {}", model_.name, name);
  }
  return {};
}

void Network::start_profile() {
  profile_ = blank_profile(model_, options_.training);
  for (const LayerOp& each : programs_.back().ops) {
    std::string& algorithm = profile_[each.layer].algorithm;
    if (algorithm.empty()) algorithm = each.op->algorithm();
  }
  forward_images_ = backward_images_ = 0;
}

std::vector<LayerProfile> Network::profile() const {
  std::vector<LayerProfile> profile = profile_;
  for (LayerProfile& layer : profile) {
    layer.forward_images = forward_images_;
    layer.backward_images = backward_images_;
  }
  return profile;
}

template <class Run>
void Network::timed(double LayerProfile::*seconds, const LayerOp& op, const Run& run) {
  if (profile_.empty()) return run();
  const Timer timer;
  run();
  profile_[op.layer].*seconds += timer.seconds();
}

std::span<const float> Network::forward(int count, const RandomKey* key) {
  ops::Pass pass{.rows = count};
  if (key != nullptr) {
    pass = {ops::Phase::training, count,     key->first_row, key->seed,
            stream_of(*key),      key->step, labels_,        key->share};
  }
  labels_ = {};
  if (!pass.labels.empty() && pass.labels.size() != static_cast<std::size_t>(count)) {
    throw user_error("model", "{} labels for {} images", pass.labels.size(), count);
  }
  return forward(pass);
}

Network::Program& Network::program_for(int count) {
  assert(count > 0 && count <= options_.batch);
  return *std::ranges::find_if(programs_, [&](const Program& each) { return each.batch >= count; });
}

std::span<const float> Network::forward(const ops::Pass& pass) {
  const ThreadTeam team(context_.threads());
  const int count = pass.rows;
  Program* program = &program_for(count);
  if (options_.training || program != last_) {
    for (const LayerOp& each : program->ops) {
      timed(&LayerProfile::forward_seconds, each, [&] { each.op->load_parameters(context_); });
    }
  }
  last_ = program;
  last_count_ = count;
  for (const LayerOp& each : last_->ops) {
    timed(&LayerProfile::forward_seconds, each, [&] { each.op->forward(context_, pass); });
  }
  forward_images_ += count;
  context_.stream().wait();
  const std::span output(onednn::data(last_->output), static_cast<std::size_t>(count * outputs_));
  if (options_.training) return output;
  answers_.assign(output.begin(), output.end());
  return answers_;
}

std::span<const float> Network::logits() const {
  return {onednn::data(last_->logits), static_cast<std::size_t>(last_count_ * outputs_)};
}

void Network::backward(std::span<const float> gradient, GradientOf where) {
  const ThreadTeam team(context_.threads());
  assert(gradient.size() == static_cast<std::size_t>(last_count_ * outputs_));
  float* diff = onednn::data(last_->diff_output);
  std::memcpy(diff, gradient.data(), gradient.size_bytes());
  std::fill(diff + gradient.size(), diff + last_->batch * outputs_, 0.f);
  for (const Backward& step : last_->backward) {
    const LayerOp& each = last_->ops[step.op];
    // Softmax's backward pass is in place, so skipping it leaves the gradient of the logits in the
    // same buffer.
    const bool skipped = where == GradientOf::logits && step.op + 1 == last_->ops.size();
    if (skipped) continue;
    if (on_gradients_) on_gradients_(step.later);
    const auto seconds =
        each.op->has_parameters() ? &LayerProfile::weights_seconds : &LayerProfile::data_seconds;
    timed(seconds, each, [&] { each.op->backward_weights(context_); });
    if (!step.data) continue;
    timed(&LayerProfile::data_seconds, each, [&] {
      each.op->backward_data(context_);
      for (const Backward::Sum& sum : step.sums) add(sum);
    });
  }
  backward_images_ += last_count_;
  context_.stream().wait();
}

std::vector<Network::DenseLayer> Network::dense_layers() const {
  std::vector<DenseLayer> layers;
  const Program& program = programs_.back();
  for (const std::size_t i : program.dense) {
    const auto& dense = static_cast<const ops::Dense&>(*program.ops[i].op);
    const std::span<float> gradients = dense.gradients();
    layers.push_back(
        {static_cast<std::size_t>(dense.inputs()), static_cast<std::size_t>(dense.units()),
         static_cast<std::size_t>(gradients.data() - weights_.gradients.data()), gradients.size()});
  }
  return layers;
}

void Network::give_rows(std::size_t layer, float* to) {
  static_cast<ops::Dense&>(*last_->ops[last_->dense[layer]].op).give_rows(last_count_, to);
}

void Network::take_rows(std::size_t layer, int rows, const float* from) {
  const ThreadTeam team(context_.threads());
  const Program& program = program_for(rows);
  const LayerOp& each = program.ops[program.dense[layer]];
  timed(&LayerProfile::weights_seconds, each,
        [&] { static_cast<ops::Dense&>(*each.op).backward_weights_of(context_, rows, from); });
  context_.stream().wait();
}

std::span<float> Network::diff_input() const {
  return {onednn::data(last_->diff_input), last_count_ * input_floats_};
}

ExpertShares Network::routed_shares(std::size_t layer, const Experts& experts) const {
  ExpertShares routed{name_of(model_.layers[layer]), {}, false, {}};
  routed.shares.resize(static_cast<std::size_t>(last_count_) * experts.count());
  for (std::size_t e = 0; e < experts.count(); ++e) {
    routed.experts.push_back(experts.name(e));
    for (const int row : experts.rows(e)) {
      routed.shares[static_cast<std::size_t>(row) * experts.count() + e] = 1;
    }
  }
  return routed;
}

std::vector<ExpertShares> Network::expert_shares() const {
  std::map<std::size_t, ExpertShares> by_layer;
  for (const auto& [layer, experts] : experts_) by_layer[layer] = routed_shares(layer, *experts);
  for (const LayerOp& each : (last_ != nullptr ? *last_ : programs_.front()).ops) {
    const auto* mixed = dynamic_cast<const ops::CondConv2D*>(each.op.get());
    if (mixed == nullptr) continue;
    ExpertShares& mixes = by_layer[each.layer];
    mixes = {name_of(model_.layers[each.layer]), {}, true, {}};
    mixes.shares.assign(mixed->weights().begin(), mixed->weights().end());
    for (std::size_t k = 0; k < mixed->kernels(); ++k) mixes.experts.push_back(std::to_string(k));
  }
  std::vector<ExpertShares> all;
  for (auto& [layer, shares] : by_layer) all.push_back(std::move(shares));
  return all;
}

std::size_t Network::bytes() const {
  std::size_t bytes = workspace_.bytes() + gradients_.size() * sizeof(float);
  for (const auto& [layer, experts] : experts_) bytes += experts->bytes();
  return bytes;
}

}  // namespace sluice

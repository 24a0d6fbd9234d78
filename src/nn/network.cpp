#include "nn/network.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "base/fail.h"
#include "nn/build_ops.h"
#include "ops/softmax.h"

namespace sluice {

namespace {

/// Batches are rounded up to one of this many sizes: routed batches differ from step to step, and
/// finer sizes cost more to compile than they save (a quarter of a size on average).
constexpr int kBatchSizes = 8;

}  // namespace

std::string to_string(Precision precision) {
  switch (precision) {
    case Precision::fp32:
      return "fp32";
  }
  return "?";
}

Network::Network(onednn::Context& context, const Sequential& model, Weights& weights,
                 const CompileOptions& options)
    : context_(context),
      weights_(weights),
      input_shape_(model.input),
      image_elements_(static_cast<std::size_t>(element_count(model.input))),
      max_batch_(options.batch) {
  if (options.batch < 1) {
    throw user_error("compile", "a batch of {}: must be at least 1", options.batch);
  }
  if (options.training) gradients_.resize(weights.values().size());
  try {
    // The largest first: the workspace then has room for all.
    const int grain = (max_batch_ + kBatchSizes - 1) / kBatchSizes;
    for (int batch = max_batch_; batch > 0; batch -= grain) {
      programs_.push_back(build(model, batch, options.training));
    }
  } catch (const dnnl::error& error) {
    throw machine_error("onednn", "cannot compile {}: {}", model.name, error.what());
  }
  std::reverse(programs_.begin(), programs_.end());
}

Network::Program Network::build(const Sequential& model, int batch, bool training) {
  workspace_.rewind();
  input_ = workspace_.take(max_batch_ * image_elements_ * sizeof(float));
  ops::Plan plan{context_, workspace_, training};
  Program program{batch, {}, {}, {}, {}};
  program.ops = build_ops(plan, model, weights_, gradients_, batch, input_);
  const ops::Op& last = *program.ops.back();
  program.output = last.dst();
  ends_in_softmax_ = dynamic_cast<const ops::Softmax*>(&last) != nullptr;
  if (ends_in_softmax_) program.logits = last.src();
  outputs_ = static_cast<int>(onednn::stored(program.output)) / batch;
  if (training) plan_backward(program, plan);
  return program;
}

void Network::plan_backward(Program& program, ops::Plan& plan) {
  std::size_t largest = 0;
  for (const auto& op : program.ops) {
    largest = std::max({largest, op->src().get_desc().get_size(), op->dst().get_desc().get_size()});
  }
  for (float*& buffer : plan.gradients) buffer = workspace_.take(largest);
  program.diff_output = plan.take_gradient(program.output.get_desc());
  dnnl::memory gradient = program.diff_output;
  for (std::size_t i = program.ops.size(); i-- > 0;) {
    gradient = program.ops[i]->plan_backward(plan, gradient, i > 0);
    if (!gradient) break;
  }
}

std::span<const float> Network::forward(int count, const RandomKey* key) {
  assert(count > 0 && count <= max_batch_);
  last_ = &*std::find_if(programs_.begin(), programs_.end(),
                         [&](const Program& program) { return program.batch >= count; });
  last_count_ = count;
  ops::Pass pass;
  if (key != nullptr) {
    // Stages and parts are few; each dropout of a network adds its number, below 256.
    pass = {true, key->seed, key->stage << 16 | key->part << 8, key->step};
  }
  for (const auto& op : last_->ops) op->forward(context_, pass);
  context_.stream().wait();
  return {onednn::data(last_->output), static_cast<std::size_t>(count * outputs_)};
}

std::span<const float> Network::logits() const {
  return {onednn::data(last_->logits), static_cast<std::size_t>(last_count_ * outputs_)};
}

void Network::backward(std::span<const float> gradient, GradientOf where) {
  assert(gradient.size() == static_cast<std::size_t>(last_count_ * outputs_));
  float* diff = onednn::data(last_->diff_output);
  std::memcpy(diff, gradient.data(), gradient.size_bytes());
  std::fill(diff + gradient.size(), diff + last_->batch * outputs_, 0.f);
  auto op = last_->ops.rbegin();
  if (where == GradientOf::logits)
    ++op;  // the softmax works in place: its source's gradient is here
  for (; op != last_->ops.rend(); ++op) (*op)->backward(context_);
  context_.stream().wait();
}

}  // namespace sluice

#include <algorithm>

#include "base/fail.h"
#include "mixture/checks.h"
#include "mixture/routing.h"
#include "mixture/sub_gate.h"
#include "runtime/checks.h"
#include "runtime/network.h"
#include "runtime/sharded_model.h"
#include "sluice/mixture.h"

namespace sluice {

namespace {

/// Compiled mixture: for each image only the expert and importance model of its group run.
class MixtureNetwork : public ShardModel {
 public:
  /// Needs parts that fit together. `trained` is `weights`, or null for inference.
  MixtureNetwork(const Mixture& model, const MixtureWeights& weights, MixtureWeights* trained,
                 const CompileOptions& asked)
      : trained_(trained),
        before_predict_(asked.before_predict),
        // Hard selection has no gradient for the gate.
        gate_(context_, model.gate, weights.gate, {asked.batch, false, asked.compute}),
        baseline_(context_, model.baseline, weights.baseline, options_of_trained(asked)),
        rows_(model.branches.size()),
        output_(static_cast<std::size_t>(asked.batch) * baseline_.outputs()) {
    const NetworkOptions options = options_of_trained(asked);
    for (std::size_t g = 0; g < model.branches.size(); ++g) {
      const Mixture::Branch& branch = model.branches[g];
      branches_.push_back(std::make_unique<Branch>(
          Branch{{context_, branch.expert, weights.experts[g], options},
                 {context_, branch.importance, weights.importances[g], options},
                 {},
                 {}}));
      rows_[g].reserve(options.batch);
    }
    if (!options.training) return;
    diff_baseline_.resize(output_.size());
    diff_expert_.resize(output_.size());
    diff_importance_.resize(2 * output_.size());
  }

  int max_batch() const override { return baseline_.max_batch(); }
  const Shape& input_shape() const override { return baseline_.input_shape(); }
  int outputs() const override { return baseline_.outputs(); }
  bool ends_in_softmax() const override { return false; }
  std::span<const float> logits() const override {
    require_logits(*this, baseline_.count());
    return {};
  }

  std::span<const float> predict(std::span<const float> images, int count) override {
    if (before_predict_) before_predict_();
    return run(images, count, nullptr);
  }
  std::span<const float> forward(std::span<const float> images, int count,
                                 const RandomKey& key) override {
    return run(images, count, &key);
  }
  std::optional<Route> route(int row) const override;
  void backward(std::span<const float> gradient, GradientOf where) override;
  std::vector<Trained> trained() override;
  Network& main_network() override { return baseline_; }
  std::vector<std::span<float>> state() override;
  std::string first_not_finite() const override;
  std::size_t memory_bytes() const override;
  void start_profile() override;
  std::vector<LayerProfile> profile() const override;

 private:
  struct Branch {
    Network expert;
    Network importance;
    std::span<const float> expert_output;      ///< (routed rows, classes)
    std::span<const float> importance_output;  ///< (routed rows, classes, 2)
  };

  NetworkOptions options_of_trained(const CompileOptions& asked) const {
    return {asked.batch, trained_ != nullptr, asked.compute};
  }

  std::span<const float> run(std::span<const float> images, int count, const RandomKey* key);

  MixtureWeights* trained_;
  std::function<void()> before_predict_;
  onednn::Context context_;
  Network gate_;
  Network baseline_;
  std::vector<std::unique_ptr<Branch>> branches_;
  std::vector<std::vector<int>> rows_;  ///< rows of the last batch, by group
  std::span<const float> gate_output_;
  std::span<const float> baseline_output_;
  std::vector<float> output_;
  std::vector<float> diff_baseline_;
  std::vector<float> diff_expert_;
  std::vector<float> diff_importance_;
};

std::span<const float> MixtureNetwork::run(std::span<const float> images, int count,
                                           const RandomKey* key) {
  require_batch(*this, images, count);
  std::uint32_t part = 0;
  const auto forward = [&](Network& network, int rows) {
    if (key == nullptr) return network.forward(rows, nullptr);
    RandomKey part_key = *key;
    part_key.part = part++;  // each part has its own dropout masks
    return network.forward(rows, &part_key);
  };
  std::copy(images.begin(), images.end(), gate_.input().begin());
  gate_output_ = forward(gate_, count);
  sluice::route(gate_output_, rows_);
  std::copy(images.begin(), images.end(), baseline_.input().begin());
  baseline_output_ = forward(baseline_, count);

  const std::size_t image = images.size() / count;
  const int classes = outputs();
  for (std::size_t g = 0; g < branches_.size(); ++g) {
    Branch& branch = *branches_[g];
    const std::vector<int>& rows = rows_[g];
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto from = images.subspan(rows[i] * image, image);
      std::copy(from.begin(), from.end(), branch.expert.input().begin() + i * image);
      std::copy(from.begin(), from.end(), branch.importance.input().begin() + i * image);
    }
    part = static_cast<std::uint32_t>(2 + 2 * g);  // does not depend on other groups' rows
    if (rows.empty()) continue;
    branch.expert_output = forward(branch.expert, static_cast<int>(rows.size()));
    branch.importance_output = forward(branch.importance, static_cast<int>(rows.size()));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      sub_gate(&baseline_output_[rows[i] * classes], &branch.expert_output[i * classes],
               &branch.importance_output[2 * i * classes], classes, &output_[rows[i] * classes]);
    }
  }
  return std::span(output_).first(static_cast<std::size_t>(count) * classes);
}

std::optional<Route> MixtureNetwork::route(int row) const {
  if (row < 0 || row >= baseline_.count()) {
    throw user_error("model", "there is no row {} to tell the route of: the last batch had {}", row,
                     baseline_.count());
  }
  const auto of_row = [](std::span<const float> all, std::size_t at, std::size_t width) {
    return all.subspan(at * width, width);
  };
  const std::size_t classes = outputs();
  const std::span<const float> gate = of_row(gate_output_, row, branches_.size());
  const int group = chosen_group(gate);
  const std::vector<int>& rows = rows_[group];
  const std::size_t routed = std::ranges::lower_bound(rows, row) - rows.begin();
  return Route{group, gate, of_row(baseline_output_, row, classes),
               of_row(branches_[group]->expert_output, routed, classes),
               of_row(branches_[group]->importance_output, routed, 2 * classes)};
}

void MixtureNetwork::backward(std::span<const float> gradient, GradientOf where) {
  require_gradient(*this, gradient, trained_ != nullptr ? baseline_.count() : 0, where);
  const int classes = outputs();
  for (std::size_t g = 0; g < branches_.size(); ++g) {
    Branch& branch = *branches_[g];
    const std::vector<int>& rows = rows_[g];
    if (rows.empty()) {
      // The optimizer still steps with zero gradients, because Adam's moments decay.
      std::ranges::fill(branch.expert.gradients(), 0.f);
      std::ranges::fill(branch.importance.gradients(), 0.f);
      continue;
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      sub_gate_backward(&baseline_output_[rows[i] * classes], &branch.expert_output[i * classes],
                        &branch.importance_output[2 * i * classes], classes,
                        &gradient[rows[i] * classes], &diff_baseline_[rows[i] * classes],
                        &diff_expert_[i * classes], &diff_importance_[2 * i * classes]);
    }
    const std::size_t size = rows.size() * classes;
    branch.expert.backward(std::span(diff_expert_).first(size), GradientOf::output);
    branch.importance.backward(std::span(diff_importance_).first(2 * size), GradientOf::output);
  }
  baseline_.backward(std::span(diff_baseline_).first(gradient.size()), GradientOf::output);
}

std::string MixtureNetwork::first_not_finite() const {
  std::string found = baseline_.first_not_finite();
  for (const auto& branch : branches_) {
    if (found.empty()) found = branch->expert.first_not_finite();
    if (found.empty()) found = branch->importance.first_not_finite();
  }
  return found;
}

std::size_t MixtureNetwork::memory_bytes() const {
  std::size_t bytes = context_.bytes() + gate_.bytes() + baseline_.bytes();
  for (const auto& branch : branches_) bytes += branch->expert.bytes() + branch->importance.bytes();
  return bytes;
}

void MixtureNetwork::start_profile() {
  gate_.start_profile();
  baseline_.start_profile();
  for (const auto& branch : branches_) {
    branch->expert.start_profile();
    branch->importance.start_profile();
  }
}

std::vector<LayerProfile> MixtureNetwork::profile() const {
  std::vector<LayerProfile> all;
  const auto add = [&](const Network& network) {
    const std::vector<LayerProfile> part = network.profile();
    all.insert(all.end(), part.begin(), part.end());
  };
  add(gate_);
  add(baseline_);
  for (const auto& branch : branches_) {
    add(branch->expert);
    add(branch->importance);
  }
  return all;
}

std::vector<CompiledModel::Trained> MixtureNetwork::trained() {
  if (trained_ == nullptr) return {};
  std::vector<Trained> all;
  const auto add = [&](Weights& part, Network& network) {
    all.push_back({part.trained(), network.gradients(), part.tensors()});
  };
  add(trained_->baseline, baseline_);
  for (std::size_t g = 0; g < branches_.size(); ++g) {
    add(trained_->experts[g], branches_[g]->expert);
    add(trained_->importances[g], branches_[g]->importance);
  }
  return all;
}

std::vector<std::span<float>> MixtureNetwork::state() {
  std::vector<std::span<float>> all;
  if (trained_ == nullptr) return all;
  for (Weights* part : trained_->parts()) {
    if (part != &trained_->gate && !part->state().empty()) all.push_back(part->state());
  }
  return all;
}

/// Checks and compiles a mixture; `trained` is that of MixtureNetwork.
std::unique_ptr<ShardModel> make(const Mixture& model, const MixtureWeights& weights,
                                 MixtureWeights* trained, const CompileOptions& options) {
  require_parts_fit(model);
  require_weights_for_parts(model, weights);
  return std::make_unique<MixtureNetwork>(model, weights, trained, options);
}

}  // namespace

std::unique_ptr<CompiledModel> compile(const Mixture& model, MixtureWeights& weights,
                                       const CompileOptions& options) {
  return compile_in_shards(weights, options,
                           [&](MixtureWeights& own, const CompileOptions& of_own) {
                             return make(model, own, &own, of_own);
                           });
}

std::unique_ptr<CompiledModel> compile_for_inference(const Mixture& model,
                                                     const MixtureWeights& weights,
                                                     const CompileOptions& options) {
  return make(model, weights, nullptr, options);
}

}  // namespace sluice

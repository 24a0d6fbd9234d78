#include "runtime/network.h"

#include "runtime/checks.h"
#include "runtime/sharded_model.h"

namespace sluice {

namespace {

/// A Sequential as users get it: a network with a context of its own.
class CompiledSequential : public ShardModel {
 public:
  /// `trained` is `weights`, or null for inference.
  CompiledSequential(const Sequential& model, const Weights& weights, Weights* trained,
                     const CompileOptions& options)
      : trained_(trained),
        before_predict_(options.before_predict),
        network_(context_, model, weights, {options.batch, trained != nullptr, options.compute}) {}

  int max_batch() const override { return network_.max_batch(); }
  const Shape& input_shape() const override { return network_.input_shape(); }
  int outputs() const override { return network_.outputs(); }
  bool ends_in_softmax() const override { return network_.ends_in_softmax(); }
  std::span<const float> predict(std::span<const float> images, int count) override {
    if (before_predict_) before_predict_();
    return run(images, count, nullptr);
  }
  void set_labels(std::span<const int> labels) override { network_.set_labels(labels); }
  std::span<const float> forward(std::span<const float> images, int count,
                                 const RandomKey& key) override {
    return run(images, count, &key);
  }
  std::span<const float> logits() const override {
    require_logits(*this, network_.count());
    return network_.logits();
  }
  void backward(std::span<const float> gradient, GradientOf where) override {
    require_gradient(*this, gradient, network_.training() ? network_.count() : 0, where);
    network_.backward(gradient, where);
  }
  std::vector<ExpertShares> expert_shares() const override { return network_.expert_shares(); }
  std::string first_not_finite() const override { return network_.first_not_finite(); }
  std::size_t memory_bytes() const override { return context_.bytes() + network_.bytes(); }
  void start_profile() override { network_.start_profile(); }
  std::vector<LayerProfile> profile() const override { return network_.profile(); }
  std::vector<Trained> trained() override {
    if (trained_ == nullptr) return {};
    return {{trained_->trained(), network_.gradients(), trained_->tensors()}};
  }
  Network& main_network() override { return network_; }
  std::vector<std::span<float>> state() override {
    if (trained_ == nullptr || trained_->state().empty()) return {};
    return {trained_->state()};
  }

 private:
  std::span<const float> run(std::span<const float> images, int count, const RandomKey* key) {
    require_batch(*this, images, count);
    std::copy(images.begin(), images.end(), network_.input().begin());
    return network_.forward(count, key);
  }

  Weights* trained_;
  std::function<void()> before_predict_;
  onednn::Context context_;
  Network network_;
};

}  // namespace

std::unique_ptr<CompiledModel> compile(const Sequential& model, Weights& weights,
                                       const CompileOptions& options) {
  return compile_in_shards(weights, options, [&](Weights& own, const CompileOptions& of_own) {
    return std::make_unique<CompiledSequential>(model, own, &own, of_own);
  });
}

std::unique_ptr<CompiledModel> compile_for_inference(const Sequential& model,
                                                     const Weights& weights,
                                                     const CompileOptions& options) {
  return std::make_unique<CompiledSequential>(model, weights, nullptr, options);
}

}  // namespace sluice

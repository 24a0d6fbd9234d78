#include "tools/parity/scenario.h"

#include <algorithm>

#include "base/fail.h"
#include "base/random.h"
#include "data/batching.h"
#include "eval/outputs.h"
#include "sluice/lab/models.h"
#include "train/optimizer.h"

namespace sluice::parity {

namespace {

const Shape kInput{32, 32, 3};
constexpr int kClasses = 10;

Groups lab_groups() {
  return Groups({{"artificial", {"airplane", "automobile", "ship", "truck"}},
                 {"natural", {"bird", "cat", "deer", "dog", "frog", "horse"}}},
                cifar10_class_names());
}

Sequential declare(const std::string& name) {
  if (name == "cnn-small") return cnn(name, kInput, kClasses, CnnSize::small);
  if (name == "cnn-large") return cnn(name, kInput, kClasses, CnnSize::large);
  if (name == "gate") return cnn(name, kInput, 2, CnnSize::small);
  if (name == "importance") return importance_model(name, kInput, kClasses);
  throw user_error("parity", "no model is called '{}'", name);
}

void set_rates_to_zero(Sequential& model) {
  for (Layer& layer : model.layers) {
    if (auto* dropout = std::get_if<Dropout>(&layer)) dropout->rate = 0;
  }
}

/// Sets random biases instead of zero, so that an error in adding them becomes visible.
void draw_biases(Weights& weights, std::uint32_t stream) {
  for (std::uint32_t t = 1; t < weights.tensors().size(); t += 2) {
    const RandomStream random(kSeed, Purpose::weights, 100 + stream, t);
    std::uint32_t i = 0;
    for (float& bias : weights.values(weights.tensors()[t])) {
      bias = 0.2f * (RandomStream::unit(random.bits(i++)[0]) - 0.5f);
    }
  }
}

/// Doubles the classes for the importance model as a classifier: every other image gets a class of
/// the second half.
void double_classes(Dataset& data) {
  for (LabelledImages* images : {&data.train, &data.test}) {
    for (std::size_t i = 0; i < images->size(); i += 2) images->labels[i] += kClasses;
  }
  const std::vector<std::string> names = data.class_names;
  data.class_names.insert(data.class_names.end(), names.begin(), names.end());
}

/// Returns the bias of a model's output.
std::span<float> output_bias(Weights& weights) {
  return weights.values(weights.tensors().back());
}

}  // namespace

Scenario::Scenario(const std::string& model, bool dropout, const std::string& data, int other)
    : name_(model),
      data_(load_data({.train_images = kFitImages, .test_images = kTestImages}, data, {})),
      groups_(lab_groups()) {
  if (name_.starts_with("mixture")) {
    mixture_ = std::make_unique<Mixture>(mixture(groups_, kInput, kClasses, CnnSize::small));
    mixture_weights_ = std::make_unique<MixtureWeights>(*mixture_);
    Mixture& m = *mixture_;
    MixtureWeights& w = *mixture_weights_;
    parts_ = {{"gate/", &m.gate, &w.gate, 0, -1}, {"baseline/", &m.baseline, &w.baseline, 1, -1}};
    for (int g = 0; g < groups_.count(); ++g) {
      auto& [group, expert, importance] = m.branches[g];
      const auto number = static_cast<std::uint32_t>(2 + 2 * g);
      parts_.push_back({expert.name + "/", &expert, &w.experts[g], number, g});
      parts_.push_back({importance.name + "/", &importance, &w.importances[g], number + 1, g});
    }
  } else {
    single_ = std::make_unique<Sequential>(declare(name_));
    single_weights_ = std::make_unique<Weights>(*single_);
    parts_ = {{"", single_.get(), single_weights_.get(), 0, -1}};
  }
  if (name_ == "importance") double_classes(data_);
  // The edge cases have no dropout that could hide a tie: with kSeed a pool of the first built-in
  // images has two values within 9e-8, and rounding decides between them.
  const std::uint64_t seed = (name_.starts_with("mixture-") ? kSeed + 1 : kSeed) + 10 * other;
  for (const Part& part : parts_) {
    if (!dropout) set_rates_to_zero(const_cast<Sequential&>(*part.model));
    part.weights->initialize(seed, part.number);
    draw_biases(*part.weights, part.number);
  }
  if (name_ == "mixture") spread_over_groups();
  if (name_ == "mixture-tie") std::ranges::fill(parts_[0].weights->values(), 0.f);
  if (name_ == "mixture-clipped") {
    spread_over_groups();
    // Shares near 1e-7 for all classes except the first: some are clipped, some are not.
    for (const Part& part : parts_) {
      if (part.prefix != "gate/" && !part.prefix.starts_with("importance")) {
        output_bias(*part.weights)[0] += 15.9f;
      }
    }
  }
  for (const Part& part : parts_) {
    const auto values = part.weights->values();
    first_weights_.emplace_back(values.begin(), values.end());
  }
}

/// Shifts the gate's bias so that half of the images go to each group: an untrained gate sends
/// nearly all to one.
void Scenario::spread_over_groups() {
  const Part& gate = parts_[0];
  const auto compiled =
      sluice::compile_for_inference(*gate.model, *gate.weights, {kFitImages, Compute::exact});
  Batch batch;
  fill_batch(train(), in_order(kFitImages), batch);
  compiled->predict(batch.images, batch.size());
  const auto logits = compiled->logits();
  std::vector<float> lead(kFitImages);
  for (int i = 0; i < kFitImages; ++i) lead[i] = logits[2 * i] - logits[2 * i + 1];
  std::ranges::sort(lead);
  // The threshold is between two images, so that no image is near a tie.
  output_bias(*gate.weights)[0] -= (lead[kFitImages / 2] + lead[kFitImages / 2 - 1]) / 2;
}

Examples Scenario::examples(const LabelledImages& images) const {
  const Examples all(images, data_.class_names);
  return name_ == "gate" ? all.labelled_by_group(groups_) : all;
}

std::vector<std::uint32_t> Scenario::rows_of_step(int step) const {
  std::vector<std::uint32_t> rows = in_order(kBatch);
  for (std::uint32_t& row : rows) row += static_cast<std::uint32_t>(step % kBatches * kBatch);
  return rows;
}

std::vector<Part> Scenario::parts() {
  return parts_;
}

const Part* Scenario::gate() {
  return mixture_ ? &parts_[0] : nullptr;
}

std::unique_ptr<CompiledModel> Scenario::compile(int batch) {
  return mixture_ ? sluice::compile(*mixture_, *mixture_weights_, {batch, Compute::exact})
                  : sluice::compile(*single_, *single_weights_, {batch, Compute::exact});
}

void Scenario::reset() {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    std::ranges::copy(first_weights_[i], parts_[i].weights->values().begin());
  }
}

/// Runs fit()'s steps, in the order of rows_of_step().
class Scenario::Training {
 public:
  explicit Training(Scenario& scenario)
      : scenario_(scenario),
        examples_(scenario.train()),
        model_(scenario.compile(kBatch)),
        optimizer_(make_optimizer({}, model_->trained())) {}

  CompiledModel& model() { return *model_; }
  Optimizer& optimizer() { return *optimizer_; }
  std::span<const float> outputs() const { return outputs_; }

  /// Runs forward and backward; returns the loss.
  double pass(int step) {
    fill_batch(examples_, scenario_.rows_of_step(step), batch_);
    outputs_ = model_->forward(batch_.images, batch_.size(),
                               {kSeed, kStage, 0, static_cast<std::uint32_t>(step)});
    gradient_.resize(outputs_.size());
    const double loss = summed_loss(*model_, outputs_, batch_.labels, gradient_) / kBatch;
    model_->backward(gradient_, gradient_of(*model_));
    return loss;
  }

 private:
  Scenario& scenario_;
  Examples examples_;
  std::unique_ptr<CompiledModel> model_;
  std::unique_ptr<Optimizer> optimizer_;
  Batch batch_;
  std::span<const float> outputs_;
  std::vector<float> gradient_;
};

Step Scenario::first_step() {
  reset();
  Training training(*this);
  const double loss = training.pass(0);
  Step step{
      {training.outputs().begin(), training.outputs().end()}, loss, gradients(training.model())};
  training.optimizer().step(1, OptimizerOptions().learning_rate);
  return step;
}

void Scenario::run(int steps, const std::function<void(int, double)>& after_step) {
  reset();
  Training training(*this);
  for (int step = 0; step < steps; ++step) {
    const double loss = training.pass(step);
    training.optimizer().step(step + 1, OptimizerOptions().learning_rate);
    after_step(step + 1, loss);
  }
}

History Scenario::fit() {
  reset();
  FitObserver quiet;
  return sluice::fit(*compile(kFitBatch), train(), test(),
                     {kFitEpochs, kFitBatch, {.learning_rate = kFitLearningRate}, kSeed, kStage},
                     quiet);
}

Tensors Scenario::weights() {
  Tensors tensors;
  for (const Part& part : parts_) {
    for (const Weights::Tensor& t : part.weights->tensors()) {
      const auto values = part.weights->values(t);
      tensors[part.prefix + t.layer + "/" + t.kind] = {values.begin(), values.end()};
    }
  }
  return tensors;
}

Tensors Scenario::gradients(CompiledModel& model) {
  Tensors tensors;
  for (const CompiledModel::Trained& trained : model.trained()) {
    const Part& part = *std::ranges::find_if(parts_, [&](const Part& p) {
      return p.weights->values().data() == trained.weights.data();
    });
    for (const Weights::Tensor& t : part.weights->tensors()) {
      const auto values = trained.gradients.subspan(t.offset, t.size);
      tensors[part.prefix + t.layer + "/" + t.kind] = {values.begin(), values.end()};
    }
  }
  return tensors;
}

}  // namespace sluice::parity

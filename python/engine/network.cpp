#include "engine/network.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/fail.h"
#include "engine/signals.h"
#include "formats/model/declaration.h"
#include "sluice/lab/models.h"
#include "sluice/lab/report.h"
#include "sluice/trainer.h"

namespace nb = nanobind;

namespace sluice::python {

namespace {

/// Set in a child that was forked after a computation: OpenMP's threads are not there, and a
/// computation would wait for them for ever.
std::atomic<bool> has_computed = false;
std::atomic<bool> is_orphan = false;

/// Ends a fit as its callback wants.
struct Stop {};

/// Calls Python after each epoch and step.
class PythonObserver : public FitObserver {
 public:
  /// Calls before_epoch() before each call of on_epoch().
  PythonObserver(SignalsWait& signals, bool every_step, std::function<void()> before_epoch,
                 const nb::callable& on_epoch, const nb::callable& on_step)
      : signals_(signals),
        every_step_(every_step),
        before_epoch_(std::move(before_epoch)),
        on_epoch_(on_epoch),
        on_step_(on_step) {}

  void on_step(const Progress& progress) override {
    constexpr double kPause = 0.1;  // seconds
    signals_.check();
    if (!every_step_ && timer_.seconds() < kPause && progress.step < progress.steps) return;
    timer_ = Timer();
    signals_.with_python([&] {
      on_step_(progress.epoch, progress.step, progress.steps, progress.loss, progress.accuracy,
               progress.seconds_per_step, progress.seconds_left);
    });
  }

  void on_epoch(const Progress& progress, const Epoch& epoch) override {
    before_epoch_();
    bool goes_on = true;
    signals_.with_python([&] {
      goes_on = nb::cast<bool>(on_epoch_(progress.epoch, epoch.loss, epoch.accuracy, epoch.val_loss,
                                         epoch.val_accuracy));
    });
    if (!goes_on) throw Stop();
  }

 private:
  SignalsWait& signals_;
  bool every_step_;
  std::function<void()> before_epoch_;
  const nb::callable& on_epoch_;
  const nb::callable& on_step_;
  Timer timer_;
};

FitOptions fit_options(const nlohmann::json& json, const std::vector<std::string>& class_names) {
  FitOptions options;
  options.epochs = json.at("epochs");
  options.batch_size = json.at("batch_size");
  options.seed = json.at("seed");
  options.stage = json.at("stage");
  const nlohmann::json& optimizer = json.at("optimizer");
  OptimizerOptions& its = options.optimizer;
  its.name = optimizer.at("name");
  its.learning_rate = optimizer.at("learning_rate");
  its.weight_decay = optimizer.value("weight_decay", its.weight_decay);
  its.momentum = optimizer.value("momentum", its.momentum);
  its.nesterov = optimizer.value("nesterov", its.nesterov);
  its.beta_1 = optimizer.value("beta_1", its.beta_1);
  its.beta_2 = optimizer.value("beta_2", its.beta_2);
  its.epsilon = optimizer.value("epsilon", its.epsilon);
  its.clipnorm = optimizer.value("clipnorm", its.clipnorm);
  its.global_clipnorm = optimizer.value("global_clipnorm", its.global_clipnorm);
  its.clipvalue = optimizer.value("clipvalue", its.clipvalue);
  options.loss.label_smoothing = json.at("label_smoothing");
  const std::vector<double> class_weight = json.at("class_weight");
  if (class_weight.size() != class_names.size()) {
    throw user_error("fit", "{} weights for {} classes: give one for each", class_weight.size(),
                     class_names.size());
  }
  for (std::size_t label = 0; label < class_weight.size(); ++label) {
    options.loss.class_weight.of[class_names[label]] = class_weight[label];
  }
  return options;
}

const SavedModel& one_network(const AnyModel& model) {
  if (const auto* network = std::get_if<SavedModel>(&model)) return *network;
  throw user_error("model", "this is a mixture of networks, and one network is needed");
}

/// A part of a model.
struct Part {
  std::string prefix;  ///< of its layers' names
  const Weights* weights;
};

std::vector<Part> parts_of(const AnyModel& model) {
  if (const auto* network = std::get_if<SavedModel>(&model)) return {{"", &network->weights}};
  const auto& mixture = std::get<SavedMixture>(model);
  std::vector<Part> parts;
  for (const Sequential* each : mixture.model.parts()) {
    parts.push_back({each->name + "/", mixture.weights.parts()[parts.size()]});
  }
  return parts;
}

std::vector<std::string> numbers(std::int64_t count) {
  std::vector<std::string> names;
  for (std::int64_t number = 0; number < count; ++number) names.push_back(std::to_string(number));
  return names;
}

const Sequential& first_network(const AnyModel& model) {
  if (const auto* mixture = std::get_if<SavedMixture>(&model)) return mixture->model.baseline;
  return std::get<SavedModel>(model).model;
}

}  // namespace

void require_own_process() {
  if (is_orphan) {
    throw user_error("python",
                     "this process was forked after a computation, and the threads of OpenMP are "
                     "not in it: start workers with multiprocessing's \"spawn\", or joblib's loky");
  }
  has_computed = true;
}

void watch_forks() {
  pthread_atfork(nullptr, nullptr, [] {
    if (has_computed) is_orphan = true;
  });
}

std::vector<Groups::Group> to_groups(const NamedGroups& groups) {
  std::vector<Groups::Group> all;
  for (const auto& [name, classes] : groups) all.push_back({name, classes});
  return all;
}

NamedGroups to_named(const std::vector<Groups::Group>& groups) {
  NamedGroups all;
  for (const Groups::Group& group : groups) all.emplace_back(group.name, group.classes);
  return all;
}

std::unique_ptr<Network> Network::initialized(Sequential model, std::uint64_t seed) {
  Weights weights(model);
  weights.initialize(seed, 1);
  return std::unique_ptr<Network>(
      new Network(SavedModel{std::move(model), std::move(weights), {}}));
}

std::unique_ptr<Network> Network::declared(const std::string& declaration, std::uint64_t seed) {
  const nlohmann::json json = nlohmann::json::parse(declaration);
  if (!declares_mixture(json)) return initialized(sequential_of(json, "model"), seed);
  Mixture model = mixture_of(json, "model");
  MixtureWeights weights(model);
  return std::unique_ptr<Network>(
      new Network(SavedMixture{std::move(model), std::move(weights), {}, {}}));
}

std::unique_ptr<Network> Network::cnn(const std::string& name,
                                      const std::vector<std::int64_t>& input, int classes,
                                      bool is_large, double width, std::uint64_t seed) {
  const CnnSize size = is_large ? CnnSize::large : CnnSize::small;
  return initialized(sluice::cnn(name, {input.begin(), input.end()}, classes, size, width), seed);
}

std::unique_ptr<Network> Network::mixture(Network& baseline, Network& gate,
                                          const std::vector<Network*>& experts,
                                          const NamedGroups& groups, std::uint64_t seed) {
  constexpr std::uint32_t kStream = 1000;  // of importance models; networks have 1
  if (experts.size() != groups.size()) {
    throw user_error("model", "{} experts for {} groups: give one for each", experts.size(),
                     groups.size());
  }
  const nb::gil_scoped_release free;
  const auto copied = [](Network& network, const std::string& name) {
    std::optional<SavedModel> copy;
    network.with_model([&](const AnyModel& model) { copy = one_network(model); });
    copy->model.name = name;
    return std::move(*copy);
  };
  SavedModel its_baseline = copied(baseline, names::kBaseline);
  SavedModel its_gate = copied(gate, names::kGate);
  const int classes = static_cast<int>(summarize(its_baseline.model).back().output.front());
  Mixture model{its_baseline.model, its_gate.model, {}};
  std::vector<Weights> of_experts;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const std::string& group = groups[g].first;
    SavedModel expert = copied(*experts[g], names::expert(group));
    model.branches.push_back(
        {group, std::move(expert.model),
         importance_model(names::importance(group), its_baseline.model.input, classes)});
    of_experts.push_back(std::move(expert.weights));
  }
  MixtureWeights weights(model);
  weights.baseline = std::move(its_baseline.weights);
  weights.gate = std::move(its_gate.weights);
  weights.experts = std::move(of_experts);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    weights.importances[g].initialize(seed, kStream + static_cast<std::uint32_t>(g));
  }
  compile_for_inference(model, weights, {.batch = 1});  // refuses parts that do not fit together
  return std::unique_ptr<Network>(
      new Network(SavedMixture{std::move(model), std::move(weights),
                               std::move(its_baseline.class_names), to_groups(groups)}));
}

std::unique_ptr<Network> Network::open(const std::string& file) {
  return std::unique_ptr<Network>(new Network(read_model(file)));
}

void Network::save(const std::string& file) {
  const nb::gil_scoped_release free;
  with_model([&](const AnyModel& model) { write_model(file, model); });
}

void Network::with_model(const std::function<void(const AnyModel&)>& call) {
  const std::lock_guard lock(mutex_);
  call(model_);
}

std::string Network::declaration() const {
  return std::visit([](const auto& saved) { return to_declaration(saved.model).dump(); }, model_);
}

std::string Network::summary() const {
  return std::visit([](const auto& saved) { return summary_text(saved.model); }, model_);
}

std::vector<std::int64_t> Network::input_shape() const {
  const Shape& shape = first_network(model_).input;
  return {shape.begin(), shape.end()};
}

std::vector<std::int64_t> Network::output_shape() const {
  const Shape output = summarize(first_network(model_)).back().output;
  return {output.begin(), output.end()};
}

const std::vector<std::string>& Network::class_names() const {
  return std::visit(
      [](const auto& saved) -> auto& { return saved.class_names; }, model_);
}

void Network::set_class_names(std::vector<std::string> names) {
  std::visit([&](auto& saved) { saved.class_names = std::move(names); }, model_);
}

NamedGroups Network::groups() const {
  const auto* mixture = std::get_if<SavedMixture>(&model_);
  return mixture == nullptr ? NamedGroups() : to_named(mixture->groups);
}

void Network::set_groups(const NamedGroups& groups) {
  std::get<SavedMixture>(model_).groups = to_groups(groups);
}

std::vector<Network::Tensor> Network::tensors() const {
  std::vector<Tensor> all;
  for (const Part& part : parts_of(model_)) {
    for (const Weights::Tensor& tensor : part.weights->tensors()) {
      all.emplace_back(part.prefix + tensor.layer, tensor.kind,
                       std::vector<std::int64_t>(tensor.shape.begin(), tensor.shape.end()));
    }
  }
  return all;
}

Network::Place Network::place_of(std::size_t number) {
  for (const Part& part : parts_of(model_)) {
    const std::vector<Weights::Tensor>& tensors = part.weights->tensors();
    if (number < tensors.size()) {
      return {const_cast<Weights*>(part.weights)->values(tensors[number]), tensors[number]};
    }
    number -= tensors.size();
  }
  throw user_error("model", "there is no such tensor");
}

Array<float> Network::tensor(std::size_t number) {
  std::vector<float> values;
  std::vector<std::size_t> shape;
  {
    const nb::gil_scoped_release free;
    const std::lock_guard lock(mutex_);
    const Place place = place_of(number);
    values.assign(place.values.begin(), place.values.end());
    shape.assign(place.tensor.shape.begin(), place.tensor.shape.end());
  }
  return array_of(std::move(values), shape);
}

void Network::set_tensor(std::size_t number, const Values& values) {
  const std::vector<std::int64_t> shape(values.shape_ptr(), values.shape_ptr() + values.ndim());
  const nb::gil_scoped_release free;
  const std::lock_guard lock(mutex_);
  const Place place = place_of(number);
  if (!std::ranges::equal(shape, place.tensor.shape)) {
    throw user_error("model", "{}/{} has the shape {}, and the array has another",
                     place.tensor.layer, place.tensor.kind, to_string(place.tensor.shape));
  }
  std::copy_n(values.data(), values.size(), place.values.begin());
  compiled_.clear();  // prepared parameters
}

void Network::require_fit(const Images& images) const {
  const Shape shape = shape_of(images);
  const Shape& input = first_network(model_).input;
  if (shape == input) return;
  throw user_error("model",
                   "it takes images of {}, and these are of {}: give (images, height, width, "
                   "channels)",
                   to_string(input), to_string(shape));
}

/// Few images need little time only in a small batch.
CompiledModel& Network::compiled_for(std::size_t count, int batch) {
  constexpr std::size_t kMost = 4;  // batches: each takes memory
  for (const int small : {1, 16}) {
    if (count <= static_cast<std::size_t>(small)) batch = std::min(batch, small);
  }
  if (compiled_.size() >= kMost && !compiled_.contains(batch)) compiled_.clear();
  std::unique_ptr<CompiledModel>& compiled = compiled_[batch];
  if (!compiled) {
    compiled = std::visit(
        [&](const auto& saved) {
          return compile_for_inference(saved.model, saved.weights, {.batch = batch});
        },
        model_);
  }
  return *compiled;
}

Array<float> Network::predict(const Images& images, int batch) {
  require_own_process();
  require_fit(images);
  const std::size_t count = images.shape(0);
  std::vector<float> outputs;
  std::size_t width = 0;
  {
    const nb::gil_scoped_release free;
    SignalsWait signals;
    const std::lock_guard lock(mutex_);
    CompiledModel& compiled = compiled_for(count, batch);
    const auto image = static_cast<std::size_t>(element_count(compiled.input_shape()));
    const LabelledImages given = viewed(images);
    width = static_cast<std::size_t>(compiled.outputs());
    outputs.reserve(count * width);
    std::vector<float> values;
    for (std::size_t first = 0; first < count;) {
      signals.check();
      const auto part = std::min(count - first, static_cast<std::size_t>(compiled.max_batch()));
      values.resize(part * image);
      for (std::size_t i = 0; i < part; ++i) {
        given.copy_values(first + i, std::span(values).subspan(i * image, image));
      }
      const std::span<const float> output = compiled.predict(values, static_cast<int>(part));
      outputs.insert(outputs.end(), output.begin(), output.end());
      first += part;
    }
  }
  return array_of(std::move(outputs), {count, width});
}

void Network::fit(const Images& images, const Labels& labels, const Values& weights,
                  const Images& validation_images, const Labels& validation_labels,
                  const std::string& options, const nb::callable& on_epoch,
                  const nb::callable& on_step) {
  require_own_process();
  const nlohmann::json json = nlohmann::json::parse(options);
  const nb::gil_scoped_release free;
  SignalsWait signals;
  const std::lock_guard lock(mutex_);
  // Prepared parameters are old after a step: those of predictions before this and in a callback.
  const auto forget = [this] { compiled_.clear(); };
  const struct AtEnd {
    ~AtEnd() { call(); }
    const decltype(forget)& call;
  } at_end{forget};
  PythonObserver observer(signals, json.at("every_step"), forget, on_epoch, on_step);
  const std::vector<std::string> class_names = numbers(output_shape().back());
  const FitOptions chosen = fit_options(json, class_names);
  LabelledImages training = labelled(images, labels);
  training.weights.assign(weights.data(), weights.data() + weights.size());
  const LabelledImages validation = labelled(validation_images, validation_labels);
  const auto compiled = std::visit(
      [&](auto& saved) {
        return compile(saved.model, saved.weights, {.batch = chosen.batch_size});
      },
      model_);
  try {
    sluice::fit(*compiled, {training, class_names}, {validation, class_names}, chosen, observer);
  } catch (const Stop&) {  // a callback wants it
  }
}

}  // namespace sluice::python

#include "conduct/conductor.h"

#include <algorithm>

#include "base/files.h"
#include "conduct/experiment_lab.h"
#include "conduct/picture.h"
#include "conduct/train_stage.h"

namespace sluice {

namespace {

std::vector<float> mean(const std::vector<float>& a, const std::vector<float>& b) {
  std::vector<float> result(a.size());
  std::ranges::transform(a, b, result.begin(), [](float x, float y) { return (x + y) / 2; });
  return result;
}

/// Returns the seconds of each part, in the order of the profile.
std::vector<std::pair<std::string, double>> seconds_by_part(
    const std::vector<LayerProfile>& profile) {
  std::vector<std::pair<std::string, double>> parts;
  for (const LayerProfile& layer : profile) {
    if (parts.empty() || parts.back().first != layer.model) parts.emplace_back(layer.model, 0);
    parts.back().second += layer.seconds();
  }
  return parts;
}

/// Returns the stages that need no other one. Before the groups are found these are the baselines,
/// whose networks do not depend on groups.
std::vector<Stage> independent_stages(const Experiment& experiment) {
  const bool awaits = experiment.awaits_groups();
  std::vector<Stage> all =
      stages(experiment.lab, awaits ? std::vector<Groups::Group>(1) : experiment.groups);
  std::erase_if(all, [&](const Stage& stage) {
    switch (stage.kind) {
      case StageKind::baseline:
      case StageKind::second_baseline:
        return false;
      case StageKind::expert:
      case StageKind::gate:
      case StageKind::wider_baseline:
        return awaits;
      case StageKind::earlier:
      case StageKind::mixture:
      case StageKind::longer_baseline:
        break;
    }
    return true;
  });
  return all;
}

}  // namespace

Results results_about(const Experiment& experiment, const Dataset& data) {
  Results results;
  results.experiment = experiment;
  results.data_name = data.name;
  results.data_source = data.source;
  results.class_names = data.class_names;
  results.test_images = data.test.size();
  results.validation_images = data.validation.size();
  results.left_out = data.left_out;
  return results;
}

void finish_run(const RunFolder& folder, const Answers& answers, const Examples& test,
                const Timer& timer, Results& results, RunObserver& observer) {
  folder.write_predictions(answers);
  folder.write_gallery(answers, test);
  results.verdict = judge(answers);
  results.total_seconds += timer.seconds();
  folder.write_results(results);
  observer.on_results(results);
  folder.write_sums();
  write_file(folder.path() / "report.html",
             report_html({folder}, [&] { stop_if_wanted(observer); }));
}

Conductor::Conductor(const Experiment& experiment, const Dataset& data, const DataRecord& record,
                     RunFolder folder, const RunOptions& options, RunObserver& observer,
                     const Shared& shared)
    : data_(data),
      team_(shared.team),
      rank_(shared.rank),
      folder_(std::move(folder)),
      figures_(folder_.figures()),
      options_(options),
      observer_(observer),
      checkpoints_(folder_.checkpoints(), Checkpoints::setting(experiment, record)),
      results_(results_about(experiment, data)) {
  set_groups(experiment.groups);
  results_.train_images = lab_->train_examples().size();
  const int other_ranks = team_ != nullptr && !shared.among_others ? team_->other_ranks() : 0;
  if (options.parallel + other_ranks > 1 && results_.has_mixture()) {
    pool_.emplace(options.parallel, other_ranks, observer);
    slots_ = options.parallel + other_ranks;
  }
}

void Conductor::set_groups(const std::vector<Groups::Group>& groups) {
  Experiment& experiment = results_.experiment;
  experiment.groups = groups;
  groups_ = std::make_unique<Groups>(groups, data_.class_names, experiment.file);
  lab_ = std::make_unique<Lab>(lab_of(experiment, data_, *groups_));
}

/// Divides the classes by what the baseline takes images for that it was not trained on.
void Conductor::find_groups(const TrainedModel& baseline) {
  const auto compiled = compile_for_inference(baseline.model, baseline.weights, inference());
  const ClassConfusions confusions =
      class_confusions(*compiled, images_to_choose_by(results_.experiment.lab, data_));
  const std::vector<Groups::Group> groups = sluice::find_groups(
      confusions, number_of_groups(class_tree(confusions)), Clustering::agglomerative);
  set_groups(groups);
  require_images_and_disk(results_.experiment, *lab_, *groups_, folder_.path(), options_.parallel);
  folder_.write_groups(groups);
  observer_.on_groups(confusions, groups);
}

Results Conductor::run() {
  begin();
  const Timer timer;
  std::vector<TrainedModel> experts;
  std::optional<TrainedModel> gate;
  Answers answers;
  if (pool_) train_ahead();
  const std::vector<Stage> stages = lab_->stages();
  auto first = stages.begin();
  for (; first->kind == StageKind::earlier; ++first) train_earlier(*first);
  const TrainedModel baseline = train(*first, results_.baseline);
  if (!results_.has_mixture()) answers = ask_alone(baseline);
  if (results_.experiment.awaits_groups()) {
    find_groups(baseline);
    if (pool_) train_ahead();
  }
  for (const Stage& stage : lab_->stages()) {
    switch (stage.kind) {
      case StageKind::earlier:
      case StageKind::baseline:
        break;  // it is trained
      case StageKind::expert:
        results_.experts.emplace_back().group = groups_->name(stage.group);
        experts.push_back(train(stage, results_.experts.back().result));
        break;
      case StageKind::gate:
        gate = train(stage, results_.gate);
        break;
      case StageKind::mixture:
        if (pool_) pool_->wait();  // the mixture has all threads
        answers = compare(baseline, train_mixture(stage, baseline, experts, *gate));
        break;
      case StageKind::longer_baseline:
      case StageKind::second_baseline:
      case StageKind::wider_baseline:
        train_control(stage, answers);
        break;
    }
  }
  results_.total_seconds = restored_seconds_;
  if (team_ != nullptr) results_.cluster = team_->figures();
  finish_run(folder_, answers, lab_->test_examples(), timer, results_, observer_);
  checkpoints_.remove();
  return std::move(results_);
}

void Conductor::begin() {
  folder_.remove_leftovers();
  const Examples train = lab_->train_examples();
  const Examples test = lab_->test_examples();
  observer_.on_begin({folder_, data_, train, test});
  if (!checkpoints_.locked()) {
    observer_.on_note(
        "This file system has no locks: let no other program train this run meanwhile.");
  }
  if (team_ != nullptr && rank_ == 0) observer_.on_note(team_->words());
  if (!figures_.available()) {
    observer_.on_note("gnuplot is missing, so there will be no pictures: install gnuplot-nox");
  }
  picture(observer_, [&] { figures_.distribution("distribution", data_.name, train, test); });
  picture(observer_,
          [&] { figures_.sample_images("samples", data_.name + ", training images", train); });
  const LabOptions& options = results_.experiment.lab;
  if (!options.augment.any()) return;
  picture(observer_, [&] {
    figures_.augmentation("augmentation", data_.name + ", augmented", train, options.augment,
                          options.seed, lab_->stages().front().random);
  });
}

void Conductor::announce(const Stage& stage) {
  stop_if_wanted(observer_);
  const bool is_known = !results_.experiment.awaits_groups();
  observer_.on_stage({stage, ++stage_, is_known ? static_cast<int>(lab_->stages().size()) : 0,
                      examples_of(stage, lab_->train_examples(), *groups_),
                      examples_of(stage, lab_->test_examples(), *groups_), lab_->model_of(stage)});
}

StageFit Conductor::observe(const Stage& stage, RunObserver& observer) {
  std::optional<std::filesystem::path> events;
  if (options_.tensorboard) events = folder_.path() / "tensorboard" / stage.name;
  return {stage, checkpoints_, observer, options_.checkpoint_steps, events};
}

/// Trains the network of a stage. Several threads may do so for different stages.
Conductor::Fitted Conductor::fit(const Experiment& experiment, const Stage& stage,
                                 RunObserver& observer, int rank) {
  StageFit fit = observe(stage, observer);
  TrainedModel trained = train_stage(experiment, data_, stage, fit,
                                     {team_, rank, [&] { return observer.should_stop(); }});
  return {std::move(trained), fit.restored_seconds()};
}

/// Begins to train the stages that need no other one, beside each other.
void Conductor::train_ahead() {
  std::vector<Pool::Work> works;
  for (const Stage& stage : independent_stages(results_.experiment)) {
    if (ahead_.contains(stage.name)) continue;
    std::optional<Fitted>& fitted = ahead_[stage.name];
    // The groups that are found later do not change an experiment that is being trained.
    works.push_back(
        {stage.name, training_flops(*lab_, stage),
         [this, stage, experiment = results_.experiment, &fitted](RunObserver& observer, int rank) {
           fitted = fit(experiment, stage, observer, rank);
         }});
  }
  pool_->add(std::move(works));
}

/// Returns the result of train_ahead().
Conductor::Fitted Conductor::collect(const Stage& stage) {
  pool_->collect(stage.name);
  Fitted fitted = std::move(*ahead_[stage.name]);
  fitted.restored_seconds /= slots_;  // others were trained in the same seconds
  return fitted;
}

TrainedModel Conductor::train(const Stage& stage, ModelResult& result) {
  announce(stage);
  Fitted fitted = ahead_.contains(stage.name) ? collect(stage)
                                              : fit(results_.experiment, stage, observer_, rank_);
  const TrainedModel& trained = fitted.model;
  restored_seconds_ += fitted.restored_seconds;
  const Examples test = examples_of(stage, lab_->test_examples(), *groups_);
  folder_.write_model(stage.name, SavedModel{trained.model, trained.weights, test.class_names(),
                                             results_.experiment.data.resize,
                                             results_.experiment.data.exif_orientation});
  const auto compiled = compile_for_inference(trained.model, trained.weights, inference());
  result = {.cost = cost_of(trained.model),
            .history = trained.history,
            .test = evaluate(*compiled, test, views())};
  if (stage.kind == StageKind::expert) result.whole = evaluate(*compiled, lab_->test_examples());
  conclude(stage, result, trained.profile);
  return std::move(fitted.model);
}

/// Trains a stage from which the next one goes on.
void Conductor::train_earlier(const Stage& stage) {
  Results::Part& part = results_.earlier.emplace_back();
  part.name = stage.name;
  TrainedModel trained = train(stage, part.result);
  results_.experiment.lab.start = std::make_shared<const Start>(
      Start{std::move(trained.weights), std::move(trained.optimizer)});
}

TrainedMixture Conductor::train_mixture(const Stage& stage, const TrainedModel& baseline,
                                        const std::vector<TrainedModel>& experts,
                                        const TrainedModel& gate) {
  announce(stage);
  StageFit fit = observe(stage, observer_);
  TrainedMixture trained =
      train_mixture_stage(results_.experiment, data_, stage, baseline, experts, gate, fit,
                          {team_, rank_, [this] { return observer_.should_stop(); }});
  restored_seconds_ += fit.restored_seconds();
  folder_.write_model(stage.name, SavedMixture{trained.model, trained.weights, data_.class_names,
                                               groups_->declared(), results_.experiment.data.resize,
                                               results_.experiment.data.exif_orientation});
  const auto compiled = compile_for_inference(trained.model, trained.weights, inference());
  compiled->start_profile();
  results_.mixture = {.cost = cost_of(trained.model),
                      .history = trained.history,
                      .test = evaluate(*compiled, lab_->test_examples())};
  results_.part_seconds = seconds_by_part(compiled->profile());
  conclude(stage, results_.mixture, trained.profile);
  return trained;
}

/// Writes the rest of a model's files, and reports the model to the observer.
void Conductor::conclude(const Stage& stage, ModelResult& result,
                         const std::vector<LayerProfile>& profile) {
  const std::string& name = stage.name;
  result.machines = checkpoints_.machines(name);
  folder_.write_history(name, result.history);
  observer_.on_model(stage, result, profile);
  picture(observer_, [&] { figures_.learning_curves(name + "-curves", name, result.history); });
  picture(observer_, [&] { figures_.confusion(name + "-confusion", name, result.test.confusion); });
  if (!result.whole) return;
  picture(observer_, [&] {
    figures_.confusion(name + "-whole-confusion", name + ", all classes", result.whole->confusion);
  });
}

/// The verdict on a mixture looks at its parts, which answer one view.
Views Conductor::views() const {
  return results_.has_mixture() ? Views::one : results_.experiment.views;
}

CompileOptions Conductor::inference() const {
  return stoppable_inference(throughput_batch(data_.test.shape), results_.experiment.lab.compute,
                             observer_);
}

CompileOptions Conductor::inference_of_one() const {
  return stoppable_inference(1, results_.experiment.lab.compute, observer_);
}

double Conductor::latency_alone(const TrainedModel& trained) const {
  const auto compiled = compile_for_inference(trained.model, trained.weights, inference_of_one());
  return latency_ms(*compiled, lab_->test_examples());
}

Answers Conductor::ask_alone(const TrainedModel& network) {
  results_.baseline.latency_ms = latency_alone(network);
  return sluice::ask_alone(network.model, network.weights, lab_->test_examples(), inference(),
                           views());
}

Answers Conductor::compare(const TrainedModel& baseline, const TrainedMixture& mixture) {
  const Examples test = lab_->test_examples();
  results_.baseline.latency_ms = latency_alone(baseline);
  results_.mixture.latency_ms =
      latency_ms(*compile_for_inference(mixture.model, mixture.weights, inference_of_one()), test);
  return ask(baseline.model, baseline.weights, mixture.model, mixture.weights, *groups_, test,
             inference());
}

void Conductor::train_control(const Stage& wanted, Answers& answers) {
  const Stage stage = wanted.kind == StageKind::longer_baseline
                          ? wanted.of_epochs(epochs_for_the_same(results_))
                          : wanted;
  ModelResult result;
  const TrainedModel trained = train(stage, result);
  Results::Control control{stage.control, result.cost, result.history, latency_alone(trained),
                           result.machines};
  std::vector<float> scores =
      ask(trained.model, trained.weights, lab_->test_examples(), inference());
  if (stage.kind == StageKind::second_baseline) {
    const ModelResult& first = results_.baseline;
    scores = mean(answers.frozen, scores);
    control.cost = first.cost;
    control.cost += result.cost;
    control.history = first.history;
    control.history.add_cost(result.history);
    control.latency_ms += first.latency_ms;
    if (result.machines != first.machines) {
      control.machines.insert(control.machines.end(), first.machines.begin(), first.machines.end());
    }
  }
  results_.controls.push_back(std::move(control));
  answers.controls.push_back({stage.control, stage.control_words, std::move(scores)});
}

}  // namespace sluice

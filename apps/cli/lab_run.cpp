#include "cli/lab_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/timer.h"
#include "sluice/error.h"
#include "sluice/files.h"
#include "sluice/process.h"

namespace sluice::cli {

namespace {

/// A title in a rule as wide as a terminal.
void print_heading(const std::string& title) {
  constexpr std::size_t kWidth = 80;
  std::string rule;
  for (std::size_t i = title.size() + 4; i < kWidth; ++i) rule += "─";
  print_out("\n── {} {}\n", title, rule);
}

/// A failed plot must not abort training.
template <class Draw>
void picture(const Draw& draw) {
  try {
    draw();
  } catch (const Error& error) {
    print_out("no picture: {}\n", error.what());
  }
}

std::vector<float> mean(const std::vector<float>& a, const std::vector<float>& b) {
  std::vector<float> result(a.size());
  std::ranges::transform(a, b, result.begin(), [](float x, float y) { return (x + y) / 2; });
  return result;
}

/// Of each part, in the order of the profile.
std::vector<std::pair<std::string, double>> seconds_by_part(
    const std::vector<LayerProfile>& profile) {
  std::vector<std::pair<std::string, double>> parts;
  for (const LayerProfile& layer : profile) {
    if (parts.empty() || parts.back().first != layer.model) parts.emplace_back(layer.model, 0);
    parts.back().second += layer.seconds();
  }
  return parts;
}

}  // namespace

LabRun::LabRun(const Experiment& experiment, const Dataset& data, const Groups& groups,
               RunFolder folder, const Extras& extras)
    : data_(data),
      groups_(groups),
      lab_(experiment.lab, data, groups),
      folder_(std::move(folder)),
      figures_(folder_.figures()),
      extras_(extras),
      checkpoints_(folder_.checkpoints(), Checkpoints::setting(experiment, data)),
      progress_(checkpoints_, extras.checkpoint_steps) {
  results_.experiment = experiment;
  results_.data_name = data.name;
  results_.data_source = data.source;
  results_.class_names = data.class_names;
  results_.train_images = lab_.train_examples().size();
  results_.test_images = data.test.size();
  results_.left_out = data.left_out;
}

void LabRun::run() {
  folder_.remove_leftovers();
  describe_data();
  const Timer timer;
  TrainedModel baseline = train_baseline();
  std::vector<TrainedModel> experts;
  for (int g = 0; g < groups_.count(); ++g) experts.push_back(train_expert(g));
  const TrainedModel gate = train_gate();
  TrainedMixture mixture = train_mixture(baseline, experts, gate);
  judge_mixture(baseline, mixture);
  results_.total_seconds = timer.seconds() + progress_.restored_seconds();
  folder_.write_results(results_);
  print_heading("result");
  print_out("{}", comparison_text(results_));
  folder_.write_sums();
  write_file(folder_.path() / "report.html", report_html({folder_}));
  checkpoints_.remove();
  print_places();
}

int LabRun::stages() const {
  const auto& [longer, average, wider] = results_.experiment.lab.controls;
  return groups_.count() + 3 + longer + average + wider;
}

void LabRun::begin_stage(const std::string& name, const std::string& what) {
  check_interrupt();
  print_heading(fmt::format("{}/{} {}: {}", ++stage_, stages(), name, what));
  progress_.begin_stage(name);
  if (!extras_.tensorboard) return;
  const std::filesystem::path events = folder_.path() / "tensorboard" / name;
  std::error_code ignored;
  std::filesystem::remove_all(events, ignored);  // of a run that was stopped: all is told again
  progress_.log_to(events);
}

void LabRun::describe_data() {
  const Examples train = lab_.train_examples();
  const Examples test = lab_.test_examples();
  print_out("\n{}", distribution_text(train, test));
  picture([&] { figures_.distribution("distribution", data_.name, train, test); });
  picture([&] { figures_.sample_images("samples", data_.name + ", training images", train); });
  print_out("\nrun folder: {}\n", folder_.path().string());
  if (!checkpoints_.locked()) {
    print_out("This file system has no locks: let no other program train this run meanwhile.\n");
  }
  if (!figures_.available()) {
    print_out("gnuplot is missing, so there will be no pictures: install gnuplot-nox\n");
  }
}

void LabRun::describe_stage(const std::string& name, const std::string& what, const Examples& train,
                            const Examples& test) {
  begin_stage(name, what);
  print_out("{}", distribution_text(train, test));
}

/// Keeps a trained model's files and tells how it does on its own test images.
ModelResult LabRun::conclude(const std::string& name, const History& history,
                             const std::vector<LayerProfile>& profile, const Cost& cost,
                             const Evaluation& test) {
  folder_.write_history(name, history);
  kept_.push_back(name);
  picture([&] { figures_.learning_curves(name + "-curves", name, history); });
  print_out("\ntrained in {}, {:.0f} images/s\n", clock_text(history.seconds),
            history.images_per_second);
  if (history.restored_epoch > 0) {
    print_out("weights of epoch {} restored\n", history.restored_epoch);
  }
  const bool trained_now = std::ranges::any_of(
      profile, [](const LayerProfile& layer) { return layer.backward_images > 0; });
  if (extras_.profile && trained_now) {
    print_out("\nseconds, validation included\n{}", profile_text(profile, history.seconds));
  }
  show_confusion(name, name, test);
  return {.cost = cost, .history = history, .test = test, .machines = checkpoints_.machines(name)};
}

void LabRun::show_confusion(const std::string& file, const std::string& title,
                            const Evaluation& test) {
  print_out("\n{}: accuracy {:.3f}, loss {:.4f} on {} test images\n{}", title, test.accuracy,
            test.loss, test.confusion.total(), confusion_text(test.confusion));
  picture([&] { figures_.confusion(file + "-confusion", title, test.confusion); });
}

CompileOptions LabRun::for_one_image() const {
  return {.batch = 1, .compute = results_.experiment.lab.compute};
}

Evaluation LabRun::evaluate_alone(TrainedModel& trained, const Examples& test) {
  const auto compiled = compile_for_inference(trained.model, trained.weights,
                                              inference_options(results_.experiment.lab.compute));
  return evaluate(*compiled, test);
}

ModelResult LabRun::conclude(TrainedModel& trained, const Examples& test) {
  const std::string& name = trained.model.name;
  folder_.write_model(name, SavedModel{trained.model, trained.weights, test.class_names()});
  return conclude(name, trained.history, trained.profile, cost_of(trained.model),
                  evaluate_alone(trained, test));
}

TrainedModel LabRun::train_baseline() {
  const Examples test = lab_.test_examples();
  describe_stage("baseline", "all classes", lab_.train_examples(), test);
  print_out("\n{}\n", summary_text(lab_.declare().baseline));
  TrainedModel trained = lab_.train_baseline(progress_);
  results_.baseline = conclude(trained, test);
  return trained;
}

TrainedModel LabRun::train_expert(int group) {
  const std::string& name = groups_.name(group);
  const Examples own = lab_.test_examples().of_group(groups_, group);
  describe_stage("expert-" + name, "its own classes",
                 lab_.train_examples().of_group(groups_, group), own);
  print_out("\n{}\n", summary_text(lab_.declare().branches[group].expert));
  TrainedModel trained = lab_.train_expert(group, progress_);
  ModelResult result = conclude(trained, own);
  result.whole = evaluate_alone(trained, lab_.test_examples());
  const std::string model = trained.model.name;
  show_confusion(model + "-whole", model + ", all classes", *result.whole);
  results_.experts.push_back({name, std::move(result)});
  return trained;
}

TrainedModel LabRun::train_gate() {
  const Examples test = lab_.test_examples().labelled_by_group(groups_);
  describe_stage("gate", "which group", lab_.train_examples().labelled_by_group(groups_), test);
  print_out("\n{}\n", summary_text(lab_.declare().gate));
  TrainedModel trained = lab_.train_gate(progress_);
  results_.gate = conclude(trained, test);
  return trained;
}

TrainedMixture LabRun::train_mixture(const TrainedModel& baseline,
                                     const std::vector<TrainedModel>& experts,
                                     const TrainedModel& gate) {
  const Examples test = lab_.test_examples();
  describe_stage("mixture", "all parts but the gate, jointly", lab_.train_examples(), test);
  const Mixture model = lab_.declare();
  print_out("\n{}\n{}\n", summary_text(model.branches.front().importance), summary_text(model));
  TrainedMixture trained = lab_.train_mixture(baseline, experts, gate, progress_);
  folder_.write_model("mixture", SavedMixture{trained.model, trained.weights, data_.class_names,
                                              groups_.declared()});
  const auto compiled = compile_for_inference(trained.model, trained.weights,
                                              inference_options(results_.experiment.lab.compute));
  compiled->start_profile();
  const Evaluation evaluation = evaluate(*compiled, test);
  results_.part_seconds = seconds_by_part(compiled->profile());
  results_.mixture =
      conclude("mixture", trained.history, trained.profile, cost_of(trained.model), evaluation);
  return trained;
}

double LabRun::latency_alone(TrainedModel& trained) {
  const auto compiled = compile_for_inference(trained.model, trained.weights, for_one_image());
  return latency_ms(*compiled, lab_.test_examples());
}

LabRun::Concluded LabRun::conclude_control(TrainedModel& trained) {
  const Examples test = lab_.test_examples();
  const ModelResult result = conclude(trained, test);
  return {
      latency_alone(trained),
      ask(trained.model, trained.weights, test, inference_options(results_.experiment.lab.compute)),
      result.machines};
}

void LabRun::train_controls(Answers& answers) {
  const LabOptions::Controls& wanted = results_.experiment.lab.controls;
  const auto add = [&](const std::string& name, const std::string& words, const Cost& cost,
                       const History& history, Concluded concluded) {
    results_.controls.push_back({name, cost, history, concluded.latency_ms, concluded.machines});
    answers.controls.push_back({name, words, std::move(concluded.scores)});
  };
  if (wanted.longer) {
    const int epochs = epochs_for_the_same(results_);
    begin_stage("control-longer", fmt::format("a baseline of {} epochs", epochs));
    TrainedModel trained = lab_.train_longer_baseline(epochs, progress_);
    add("longer", "a baseline trained equally long", cost_of(trained.model), trained.history,
        conclude_control(trained));
  }
  if (wanted.average) {
    begin_stage("control-second", "a baseline to average with the first");
    TrainedModel trained = lab_.train_second_baseline(progress_);
    Concluded both = conclude_control(trained);
    both.latency_ms += results_.baseline.latency_ms;
    both.scores = mean(answers.frozen, both.scores);
    const auto& first = results_.baseline.machines;
    if (both.machines != first)
      both.machines.insert(both.machines.end(), first.begin(), first.end());
    Cost cost = results_.baseline.cost;
    cost += cost_of(trained.model);
    History history = results_.baseline.history;
    history.add_cost(trained.history);
    add("average", "an average of two baselines", cost, history, std::move(both));
  }
  if (wanted.wider) {
    begin_stage("control-wider", "as many parameters as the mixture has active");
    TrainedModel trained = lab_.train_wider_baseline(progress_);
    add("wider", "a wider baseline", cost_of(trained.model), trained.history,
        conclude_control(trained));
  }
}

void LabRun::judge_mixture(TrainedModel& baseline, TrainedMixture& mixture) {
  const Examples test = lab_.test_examples();
  results_.baseline.latency_ms = latency_alone(baseline);
  results_.mixture.latency_ms =
      latency_ms(*compile_for_inference(mixture.model, mixture.weights, for_one_image()), test);
  Answers answers = ask(baseline.model, baseline.weights, mixture.model, mixture.weights, groups_,
                        test, inference_options(results_.experiment.lab.compute));
  train_controls(answers);
  folder_.write_predictions(answers);
  folder_.write_gallery(answers, test);
  results_.verdict = judge(answers);
}

void LabRun::print_places() {
  print_out("\nrun folder: {}\n", folder_.path().string());
  print_out("report:     {}\n", (folder_.path() / "report.html").string());
  if (figures_.available()) print_out("pictures:   {}\n", folder_.figures().string());
  if (extras_.tensorboard) {
    print_out("curves:     tensorboard --logdir {}\n", (folder_.path() / "tensorboard").string());
  }
  print_out("try it:     sluice predict {} PICTURE\n", folder_.path().string());
}

}  // namespace sluice::cli

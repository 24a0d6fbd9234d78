#include <fmt/ranges.h>

#include <chrono>

#include "cli/interrupt.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "sluice/error.h"
#include "sluice/report.h"

namespace sluice::cli {

namespace {

/// A title in a rule as wide as a terminal.
void print_heading(const std::string& title) {
  constexpr std::size_t kWidth = 80;
  std::string rule;
  for (std::size_t i = title.size() + 4; i < kWidth; ++i) rule += "─";
  fmt::print("\n── {} {}\n", title, rule);
}

/// One run of the lab: each stage trains a model, keeps it, and tells how it did.
class LabRun {
 public:
  LabRun(const Experiment& experiment, const Dataset& data, const Groups& groups, RunFolder folder,
         bool profile)
      : data_(data),
        groups_(groups),
        lab_(experiment.lab, data, groups),
        folder_(std::move(folder)),
        figures_(folder_.figures()),
        profile_(profile) {
    results_.experiment = experiment;
    results_.data_name = data.name;
    results_.data_source = data.source;
    results_.class_names = data.class_names;
    results_.train_images = data.train.size();
    results_.test_images = data.test.size();
  }

  void run() {
    folder_.write_experiment(results_.experiment);
    describe_data();
    const auto start = std::chrono::steady_clock::now();
    const TrainedModel baseline = train_baseline();
    std::vector<TrainedModel> experts;
    for (int g = 0; g < groups_.count(); ++g) experts.push_back(train_expert(g));
    const TrainedModel gate = train_gate();
    train_mixture(baseline, experts, gate);
    results_.total_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    folder_.write_results(results_);
    print_conclusion();
  }

  const RunFolder& folder() const { return folder_; }
  const std::vector<std::string>& kept() const { return kept_; }

 private:
  void heading(const std::string& title) {
    print_heading(fmt::format("{}/{} {}", ++stage_, groups_.count() + 3, title));
  }

  /// Minutes of training are not to be lost for a picture.
  template <class Draw>
  void picture(const Draw& draw) {
    try {
      draw();
    } catch (const Error& error) {
      fmt::print("no picture: {}\n", error.what());
    }
  }

  void describe_data() {
    const Examples train = lab_.train_examples();
    const Examples test = lab_.test_examples();
    fmt::print("\n{}", distribution_text(train, test));
    picture([&] { figures_.distribution("distribution", data_.name, train, test); });
    picture([&] { figures_.sample_images("samples", data_.name + ", training images", train); });
    fmt::print("\nrun folder: {}\n", folder_.path().string());
    if (!figures_.available()) {
      fmt::print("gnuplot is missing, so there will be no pictures: install gnuplot-nox\n");
    }
  }

  void describe_stage(const std::string& title, const Examples& train, const Examples& test) {
    check_interrupt();
    heading(title);
    fmt::print("{}", distribution_text(train, test));
  }

  /// Keeps a trained model's files and tells how it does on its own test images.
  ModelResult conclude(const std::string& name, const History& history,
                       const std::vector<LayerProfile>& profile, std::int64_t parameters,
                       const Evaluation& test) {
    folder_.write_history(name, history);
    kept_.push_back(name);
    picture([&] { figures_.learning_curves(name + "-curves", name, history); });
    fmt::print("\ntrained in {}, {:.0f} images/s\n", clock_text(history.seconds),
               history.images_per_second);
    if (profile_)
      fmt::print("\nseconds, validation included\n{}", profile_text(profile, history.seconds));
    show_confusion(name, name, test);
    return {parameters, history, test, {}};
  }

  void show_confusion(const std::string& file, const std::string& title, const Evaluation& test) {
    fmt::print("\n{}: accuracy {:.3f}, loss {:.4f} on {} test images\n{}", title, test.accuracy,
               test.loss, test.confusion.total(), confusion_text(test.confusion));
    picture([&] { figures_.confusion(file + "-confusion", title, test.confusion); });
  }

  Evaluation evaluate_alone(TrainedModel& trained, const Examples& test) {
    const auto compiled =
        compile(trained.model, trained.weights, inference_options(results_.experiment.lab.compute));
    return evaluate(*compiled, test);
  }

  ModelResult conclude(TrainedModel& trained, const Examples& test) {
    const std::string& name = trained.model.name;
    folder_.write_model(name, SavedModel{trained.model, trained.weights, test.class_names()});
    return conclude(name, trained.history, trained.profile, count_parameters(trained.model),
                    evaluate_alone(trained, test));
  }

  TrainedModel train_baseline() {
    const Examples test = lab_.test_examples();
    describe_stage("baseline: all classes", lab_.train_examples(), test);
    fmt::print("\n{}\n", summary_text(lab_.declare().baseline));
    TrainedModel trained = lab_.train_baseline(progress_);
    results_.baseline = conclude(trained, test);
    return trained;
  }

  TrainedModel train_expert(int group) {
    const std::string& name = groups_.name(group);
    const Examples own = lab_.test_examples().of_group(groups_, group);
    describe_stage(fmt::format("expert-{}: its own classes", name),
                   lab_.train_examples().of_group(groups_, group), own);
    fmt::print("\n{}\n", summary_text(lab_.declare().branches[group].expert));
    TrainedModel trained = lab_.train_expert(group, progress_);
    ModelResult result = conclude(trained, own);
    result.whole = evaluate_alone(trained, lab_.test_examples());
    const std::string model = trained.model.name;
    show_confusion(model + "-whole", model + ", all classes", *result.whole);
    results_.experts.push_back({name, std::move(result)});
    return trained;
  }

  TrainedModel train_gate() {
    const Examples test = lab_.test_examples().labelled_by_group(groups_);
    describe_stage("gate: which group", lab_.train_examples().labelled_by_group(groups_), test);
    fmt::print("\n{}\n", summary_text(lab_.declare().gate));
    TrainedModel trained = lab_.train_gate(progress_);
    results_.gate = conclude(trained, test);
    return trained;
  }

  void train_mixture(const TrainedModel& baseline, const std::vector<TrainedModel>& experts,
                     const TrainedModel& gate) {
    const Examples test = lab_.test_examples();
    describe_stage("mixture: all parts but the gate, jointly", lab_.train_examples(), test);
    const Mixture model = lab_.declare();
    fmt::print("\n{}\n{}\n", summary_text(model.branches.front().importance), summary_text(model));
    TrainedMixture trained = lab_.train_mixture(baseline, experts, gate, progress_);
    folder_.write_model("mixture", SavedMixture{trained.model, trained.weights, data_.class_names,
                                                groups_.declared()});
    const auto compiled =
        compile(trained.model, trained.weights, inference_options(results_.experiment.lab.compute));
    results_.mixture = conclude("mixture", trained.history, trained.profile,
                                count_parameters(trained.model), evaluate(*compiled, test));
  }

  void print_conclusion() {
    print_heading("result");
    fmt::print("{}", comparison_text(results_));
    fmt::print("\nrun folder: {}\n", folder_.path().string());
    if (figures_.available()) fmt::print("pictures:   {}\n", folder_.figures().string());
    fmt::print("try it:     sluice predict {} PICTURE\n", folder_.path().string());
  }

  const Dataset& data_;
  const Groups& groups_;
  Lab lab_;
  RunFolder folder_;
  Figures figures_;
  bool profile_;  ///< whether to tell where the time went
  FitProgress progress_;
  Results results_;
  std::vector<std::string> kept_;  ///< models whose files are complete
  int stage_ = 0;
};

struct TrainOptions {
  std::string experiment;
  std::string data;
  std::string run;
  std::vector<std::string> set;
  bool profile = false;
};

void train(const TrainOptions& options) {
  const Experiment experiment = read_experiment(options.experiment, options.set);
  RunFolder::require_free(options.run);
  // Groups that do not fit are told before a long download.
  const Groups groups(experiment.groups, list_classes(experiment.data, options.data),
                      options.experiment);
  const Dataset data = load_data(experiment.data, options.data, data_events());
  LabRun lab(experiment, data, groups, RunFolder::create(options.run, experiment.name),
             options.profile);
  try {
    lab.run();
  } catch (...) {
    // Whatever ended it: what was finished is there to use.
    const std::string kept = lab.kept().empty()
                                 ? "no model was finished"
                                 : fmt::format("kept {}", fmt::join(lab.kept(), ", "));
    fmt::print("\n\nnot finished: {}: {}\n", lab.folder().path().string(), kept);
    throw;
  }
}

}  // namespace

void add_train(CLI::App& app) {
  auto* verb = app.add_subcommand("train", "Train a lab: baseline, experts, gate, mixture");
  verb->footer(R"(Examples:
  sluice train experiments/lab.toml
  sluice train experiments/lab.toml --data ~/cifar-10-batches-bin --run mine
  sluice train experiments/lab.toml --set train.learning_rate=1e-4 --set seed=1
  sluice train experiments/lab.toml --data builtin --set train.epochs=1

What is written: RUN/experiment.toml, RUN/results.json, RUN/figures/*.png, and
for each model RUN/MODEL/history.csv and RUN/MODEL/model.safetensors.
Ctrl-C ends within a step; the models finished by then are kept.)");
  const auto options = std::make_shared<TrainOptions>();
  add_experiment(*verb, options->experiment);
  add_data_option(*verb, options->data);
  verb->add_option("--run", options->run, "Folder to make (default: runs/NAME, NAME2, ...)")
      ->type_name("DIR");
  verb->add_option("--set", options->set, "Override a value of the experiment; repeatable")
      ->type_name("KEY=VALUE")
      ->take_all();
  verb->add_flag("--profile", options->profile, "Tell where the time of each stage went");
  verb->callback([options] { train(*options); });
}

}  // namespace sluice::cli

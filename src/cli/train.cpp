#include <fmt/ranges.h>

#include "cli/lab_run.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/verbs.h"

namespace sluice::cli {

namespace {

struct TrainOptions {
  std::string experiment;
  std::string data;
  std::string run;
  std::vector<std::string> set;
  bool controls = false;
  LabRun::Extras extras;
};

void train(const TrainOptions& options) {
  Experiment experiment = read_experiment(options.experiment, options.set);
  if (options.controls) experiment.lab.controls = {true, true, true};
  RunFolder::require_free(options.run);
  // Groups that do not fit are told before a long download.
  const Groups groups(experiment.groups, list_classes(experiment.data, options.data),
                      options.experiment);
  const Dataset data = load_data(experiment.data, options.data, data_events());
  LabRun lab(experiment, data, groups, RunFolder::create(options.run, experiment.name),
             options.extras);
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
  sluice train experiments/lab.toml --controls

What is written: RUN/experiment.toml, RUN/results.json, RUN/predictions.csv,
RUN/figures/*.png, and for each model RUN/MODEL/history.csv and
RUN/MODEL/model.safetensors.
Ctrl-C ends within a step; the models finished by then are kept.)");
  const auto options = std::make_shared<TrainOptions>();
  add_experiment(*verb, options->experiment);
  add_data_option(*verb, options->data);
  verb->add_option("--run", options->run, "Folder to make (default: runs/NAME, NAME2, ...)")
      ->type_name("DIR");
  verb->add_option("--set", options->set, "Override a value of the experiment; repeatable")
      ->type_name("KEY=VALUE")
      ->take_all();
  verb->add_flag("--controls", options->controls,
                 "Train baselines that are given what the\n"
                 "mixture is given: as much training, two\n"
                 "networks, as many parameters. Takes as long\n"
                 "again");
  verb->add_flag("--profile", options->extras.profile, "Tell where the time of each stage went");
  verb->add_flag("--tensorboard", options->extras.tensorboard,
                 "Also write curves for TensorBoard, as they grow");
  verb->callback([options] { train(*options); });
}

}  // namespace sluice::cli

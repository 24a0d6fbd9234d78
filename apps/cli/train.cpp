#include <fmt/ranges.h>

#include <optional>

#include "cli/fail.h"
#include "cli/lab_run.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/run_data.h"
#include "cli/verbs.h"
#include "run/disk_need.h"
#include "sluice/files.h"
#include "sluice/process.h"
#include "sluice/text.h"

namespace sluice::cli {

namespace {

struct TrainOptions {
  std::string experiment;
  std::string data;
  std::string run;
  std::string resume;
  std::vector<std::string> set;
  bool controls = false;
  LabRun::Extras extras;

  Experiment read(const std::string& file) const {
    Experiment read = read_experiment(file, set);
    if (controls) read.lab.controls = {true, true, true};
    return read;
  }
};

/// A run that was stopped, if it can go on as it is asked for. Without an experiment its own
/// counts.
RunFolder open_stopped(TrainOptions& options) {
  RunFolder folder = RunFolder::open(options.resume);
  const std::string place = path_text(folder.path());
  std::error_code ignored;
  // The report is written last. What a kill left behind it is not needed.
  const bool done = folder.finished() && std::filesystem::exists(place + "/report.html", ignored);
  if (done) std::filesystem::remove_all(folder.checkpoints(), ignored);
  // One that was killed before its first checkpoint has no model either: it starts.
  const bool can_resume = is_folder(folder.checkpoints()) || folder.models().empty();
  if (done || !can_resume) {
    throw user_error("train", "{} {}: to train again, leave out --resume", place,
                     done ? "is finished" : "has no checkpoints to go on from");
  }
  if (options.experiment.empty()) options.experiment = place + "/experiment.toml";
  const std::string other = difference(folder.read_experiment(), options.read(options.experiment));
  if (!other.empty()) {
    throw user_error("train", "{} cannot go on with another experiment: {}", place, other);
  }
  options.extras.tensorboard |= is_folder(folder.path() / "tensorboard");
  return folder;
}

/// Throws Error (user) if a run would go on with other images than it was trained on.
void require_same_data(const RunFolder& run, const DataRecord& before, const DataRecord& now) {
  if (now.train.sha256 == before.train.sha256 && now.test.sha256 == before.test.sha256) return;
  throw user_error("train", "{}, and {} has other images: {}", training_in_words(run, before),
                   path_text(now.place),
                   now.place == before.place
                       ? "put those of then back, or train again without --resume"
                       : "leave out --data, or give the same images");
}

/// Of a run that did not get to its end.
void tell_what_is_left(const LabRun& run, bool can_resume, const std::string& data) {
  const RunFolder& folder = run.folder();
  const std::string place = path_text(folder.path());
  const std::string kept = run.kept().empty() ? "no model was finished"
                                              : fmt::format("kept {}", fmt::join(run.kept(), ", "));
  print_out("\n\nnot finished: {}: {}\n", place, kept);
  if (can_resume) {
    print_out("to go on: sluice train --resume {}{}\n", place,
              data.empty() ? "" : " --data " + data);
  } else {
    print_out("the last weights that were kept: {}\n", path_text(folder.checkpoints()));
  }
}

void train(TrainOptions options) {
  std::optional<RunFolder> folder;
  if (!options.resume.empty()) {
    folder = open_stopped(options);
  } else if (options.experiment.empty()) {
    throw user_error("train",
                     "name an EXPERIMENT, such as experiments/lab.toml, or give --resume RUN");
  }
  const Experiment experiment =
      folder ? folder->read_experiment() : options.read(options.experiment);
  RunFolder::require_free(options.run);
  const std::optional<DataRecord> before = folder ? folder->read_data() : std::nullopt;
  const DataPlace place =
      folder ? data_place(*folder, before, options.data) : DataPlace(options.data);
  // Groups that do not fit are told before a long download.
  const Groups groups(experiment.groups, list_classes(experiment.data, place), options.experiment);
  const Dataset data = load_data(experiment.data, place, data_events());
  const Lab declared(experiment.lab, data, groups);
  require_images_of_each_group(declared, groups);
  const DataRecord record = record_of(data, experiment.data.set);
  if (before) require_same_data(*folder, *before, record);
  const std::filesystem::path wanted = options.run.empty() ? "runs" : options.run;
  require_disk(folder ? folder->path() : wanted, declared, experiment.lab);
  if (!folder) folder = RunFolder::create(options.run, experiment, record);
  LabRun lab(experiment, data, groups, *folder, options.extras);
  try {
    const GracefulStop graceful;
    lab.run();
  } catch (const Error& error) {
    // What the user has to mend would happen again.
    tell_what_is_left(lab, error.fault() == Fault::machine, options.data);
    throw;
  } catch (...) {
    tell_what_is_left(lab, true, options.data);
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
  sluice train --resume runs/lab

What is written: RUN/report.html, RUN/experiment.toml, RUN/data.json (where the
images are, and their check sums), RUN/results.json,
RUN/predictions.csv, RUN/gallery.json, RUN/figures/*.png, and for each model
RUN/MODEL/history.csv and RUN/MODEL/model.safetensors.
Ctrl-C ends within a step and keeps where it was, for --resume; so do SIGTERM
and a closed terminal. RUN/checkpoints is deleted when the run is finished.)");
  const auto options = std::make_shared<TrainOptions>();
  verb->add_option("EXPERIMENT", options->experiment, "TOML file, such as experiments/lab.toml");
  add_data_option(*verb, options->data);
  auto* run =
      verb->add_option("--run", options->run, "Folder to make (default: runs/NAME, NAME2, ...)")
          ->type_name("DIR");
  verb->add_option("--resume", options->resume,
                   "Run that was stopped, to go on with it; it ends\n"
                   "as if it had never been stopped")
      ->type_name("RUN")
      ->excludes(run);
  verb->add_option("--checkpoint-steps", options->extras.checkpoint_steps,
                   "Keep all that --resume needs every N steps (default:\n"
                   "500), and after epochs as far as it costs under 2%")
      ->type_name("N")
      ->check(whole_number(1, 1'000'000'000));
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

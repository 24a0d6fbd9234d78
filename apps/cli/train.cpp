#include <fmt/ranges.h>

#include <optional>

#include "cli/fail.h"
#include "cli/options.h"
#include "cli/run_printer.h"
#include "cli/verbs.h"
#include "sluice/files.h"
#include "sluice/lab/run.h"
#include "sluice/process.h"
#include "sluice/text.h"

namespace sluice::cli {

namespace {

struct TrainOptions {
  std::string experiment;
  std::string resume;
  std::vector<std::string> set;
  bool controls = false;
  bool profile = false;
  RunOptions run;
  std::string folder;

  /// What is asked for beside a file's experiment.
  Experiment adapted(Experiment read) const {
    if (controls) read.lab.controls = {true, true, true};
    return read;
  }
};

/// A run goes on with its own experiment; one that is given as well must be the same.
void require_same_experiment(const TrainOptions& options) {
  if (options.experiment.empty() && options.set.empty() && !options.controls) return;
  const RunFolder folder = RunFolder::open(options.resume);
  const Experiment now = options.adapted(options.experiment.empty()
                                             ? folder.read_experiment(options.set)
                                             : read_experiment(options.experiment, options.set));
  const std::string other = difference(folder.read_experiment(), now);
  if (other.empty()) return;
  throw user_error("train", "{} cannot go on with another experiment: {}", path_text(folder.path()),
                   other);
}

void train_or_resume(const TrainOptions& options, RunPrinter& printer) {
  if (!options.resume.empty()) {
    require_same_experiment(options);
    resume(options.resume, options.run, printer);
    return;
  }
  if (options.experiment.empty()) {
    throw user_error("train",
                     "name an EXPERIMENT, such as experiments/lab.toml, or give --resume RUN");
  }
  sluice::run(options.adapted(read_experiment(options.experiment, options.set)), options.run,
              printer);
}

void train(TrainOptions options) {
  options.run.folder = options.folder;
  RunPrinter printer(options.profile);
  try {
    train_or_resume(options, printer);
  } catch (const Stopped&) {
    printer.print_what_is_left(true, options.run.data);
    check_interrupt();
    throw;
  } catch (const Error& error) {
    // What the user has to mend would happen again.
    printer.print_what_is_left(error.fault() == Fault::machine, options.run.data);
    throw;
  } catch (...) {
    printer.print_what_is_left(true, options.run.data);
    throw;
  }
  printer.print_places();
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
  add_data_option(*verb, options->run.data);
  auto* run =
      verb->add_option("--run", options->folder, "Folder to make (default: runs/NAME, NAME2, ...)")
          ->type_name("DIR");
  verb->add_option("--resume", options->resume,
                   "Run that was stopped, to go on with it; it ends\n"
                   "as if it had never been stopped")
      ->type_name("RUN")
      ->excludes(run);
  verb->add_option("--checkpoint-steps", options->run.checkpoint_steps,
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
  verb->add_flag("--profile", options->profile, "Tell where the time of each stage went");
  verb->add_flag("--tensorboard", options->run.tensorboard,
                 "Also write curves for TensorBoard, as they grow");
  verb->callback([options] { train(*options); });
}

}  // namespace sluice::cli

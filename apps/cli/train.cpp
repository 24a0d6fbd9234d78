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
};

/// Requires that an experiment given with --resume is the run's own.
void require_same_experiment(const TrainOptions& options) {
  if (options.experiment.empty() && options.set.empty()) return;
  const RunFolder folder = RunFolder::open(options.resume);
  const Experiment now = options.experiment.empty()
                             ? folder.read_experiment(options.set)
                             : read_experiment(options.experiment, options.set);
  const std::string other = difference(folder.read_experiment(), now);
  if (other.empty()) return;
  throw user_error("train", "{} cannot be resumed with another experiment: {}",
                   path_text(folder.path()), other);
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
  sluice::run(read_experiment(options.experiment, options.set), options.run, printer);
}

void train(TrainOptions options) {
  options.run.folder = options.folder;
  if (options.controls) options.set.emplace_back("controls=true");
  RunPrinter printer(options.profile);
  try {
    train_or_resume(options, printer);
  } catch (const Stopped&) {
    printer.print_what_is_left(true, options.run.data);
    check_interrupt();
    throw;
  } catch (const Error& error) {
    // A user's mistake would happen again.
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
  auto* verb = app.add_subcommand("train", "Train an experiment: a mixture, or one network");
  verb->footer(R"(Examples:
  sluice train experiments/lab.toml
  sluice train experiments/lab.toml --data ~/cifar-10-batches-bin --run mine
  sluice train experiments/lab.toml --set train.learning_rate=1e-4 --set seed=1
  sluice train experiments/lab.toml --data builtin --set train.epochs=1
  sluice train experiments/lab.toml --controls
  sluice train experiments/one-network.toml
  sluice train --resume runs/lab

Writes RUN/report.html, RUN/experiment.toml, RUN/data.json (place and checksums
of the images), RUN/results.json, RUN/predictions.csv, RUN/gallery.json,
RUN/figures/*.png, and for each model RUN/MODEL/history.csv and
RUN/MODEL/model.safetensors.
Ctrl-C, SIGTERM and a closed terminal end the run within a step and save its
state in RUN/checkpoints for --resume. A finished run deletes this folder.)");
  const auto options = std::make_shared<TrainOptions>();
  verb->add_option("EXPERIMENT", options->experiment, "TOML file, such as experiments/lab.toml");
  add_data_option(*verb, options->run.data);
  auto* run =
      verb->add_option("--run", options->folder, "Folder to make (default: runs/NAME, NAME2, ...)")
          ->type_name("DIR");
  verb->add_option("--resume", options->resume,
                   "Stopped run to continue; the result is that of\n"
                   "an uninterrupted run")
      ->type_name("RUN")
      ->excludes(run);
  verb->add_option("--checkpoint-steps", options->run.checkpoint_steps,
                   "Write a checkpoint every N steps (default: 500), and\n"
                   "after epochs if that takes less than 2% of the time")
      ->type_name("N")
      ->check(whole_number(1, 1'000'000'000));
  verb->add_option("--set", options->set, "Override a value of the experiment; repeatable")
      ->type_name("KEY=VALUE")
      ->take_all();
  verb->add_flag("--controls", options->controls,
                 "Also train baselines of equal cost: as much\n"
                 "computation, two networks, as many active\n"
                 "parameters. Doubles the time");
  verb->add_flag("--profile", options->profile, "Print the time of each layer in each stage");
  verb->add_flag("--tensorboard", options->run.tensorboard,
                 "Also write curves for TensorBoard during training");
  verb->callback([options] { train(*options); });
}

}  // namespace sluice::cli

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>

#include "cli/fail.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/own_data.h"
#include "cli/ranks.h"
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
  int seeds = 0;  ///< 0: one run, without the table of seeds
  RunOptions run;
  std::string folder;
  double deadline = 60;  ///< seconds
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

/// Prints the accuracies of each seed, their mean and standard deviation.
void print_seeds(const SeedRuns& seeds) {
  const auto row = [&](const std::string& what, double baseline, std::optional<double> mixture) {
    print_out("{:<22}{:>10.1f}%", what, 100 * baseline);
    if (mixture) print_out("{:>12.1f}%", 100 * *mixture);
    print_out("\n");
  };
  print_out("\n{:<22}{:>11}{}\n", "test accuracy", "baseline",
            seeds.mixture ? "      mixture" : "");
  for (const SeedRuns::Run& run : seeds.runs) {
    row(fmt::format("seed {}", run.seed), run.baseline, run.mixture);
  }
  const auto part = [&](double Spread::*figure) {
    return seeds.mixture ? std::optional(*seeds.mixture.*figure) : std::nullopt;
  };
  row("mean", seeds.baseline.mean, part(&Spread::mean));
  row("standard deviation", seeds.baseline.deviation, part(&Spread::deviation));
  print_out("\nfigures: {}\n", path_text(seeds.folder / "seeds.json"));
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
  const Experiment experiment = read_experiment(options.experiment, options.set);
  if (options.seeds > 0) {
    print_seeds(run_seeds(experiment, options.seeds, options.run, printer));
  } else {
    sluice::run(experiment, options.run, printer);
  }
}

/// Whether a path is a folder, or a file of images or of a list of images by its name.
bool is_data(const std::string& path) {
  const std::string ending = std::filesystem::path(path).extension().string();
  constexpr std::array kEndings{".csv", ".tsv", ".npz", ".npy", ".gz"};
  return is_folder(path) || std::ranges::find(kEndings, ending) != kEndings.end();
}

/// Writes the experiment for data that is given in place of one.
void write_experiment(TrainOptions& options) {
  if (!is_data(options.experiment)) return;
  if (!options.run.data.empty()) {
    throw user_error("train", "{} is data: give it without --data, or name an experiment",
                     path_text(options.experiment));
  }
  const OwnData own = load_own(options.experiment);
  options.run.data = own.data.place;
  options.experiment = write_experiment_for(own);
  print_out("wrote {}\n", options.experiment);
}

void train_here(TrainOptions options) {
  write_experiment(options);
  options.run.folder = options.folder;
  if (options.controls) options.set.emplace_back("controls=true");
  RunPrinter printer(options.profile ? RunPrinter::Detail::profile : RunPrinter::Detail::usual);
  const auto print_what_is_left = [&](bool can_resume) {
    if (options.seeds > 0 && options.run.parallel > 1) {
      if (can_resume) print_out("\n\nnot finished; the same command continues\n");
    } else {
      printer.print_what_is_left(can_resume, options.run);
    }
  };
  try {
    train_or_resume(options, printer);
  } catch (const Stopped&) {
    print_what_is_left(true);
    check_interrupt();
    throw;
  } catch (const Error& error) {
    // A user's mistake would happen again.
    print_what_is_left(error.fault() == Fault::machine);
    throw;
  } catch (...) {
    print_what_is_left(true);
    throw;
  }
  if (options.seeds == 0) printer.print_places();
}

void train(const TrainOptions& options) {
  on_ranks(options.deadline, [&](Cluster* cluster) {
    TrainOptions own = options;
    own.run.cluster = cluster;
    train_here(own);
  });
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
  sluice train experiments/one-network.toml --seeds 5
  sluice train ~/pets                    writes pets.toml, as sluice init does
  sluice train --resume runs/lab
  sluice train experiments/lab.toml --parallel 2
  mpirun -n 2 sluice train experiments/lab.toml     (docs/cluster.md)

Writes RUN/report.html, RUN/experiment.toml, RUN/data.json (place and checksums
of the images), RUN/results.json, RUN/predictions.csv, RUN/gallery.json,
RUN/figures/*.png, and for each model RUN/MODEL/history.csv and
RUN/MODEL/model.safetensors.
Ctrl-C, SIGTERM and a closed terminal end the run within a step and save its
state in RUN/checkpoints for --resume. A finished run deletes this folder.)");
  const auto options = std::make_shared<TrainOptions>();
  verb->add_option("EXPERIMENT", options->experiment,
                   "TOML file, such as experiments/lab.toml, or data\n"
                   "(a folder of pictures, CSV file or arrays), for\nwhich one is written");
  add_data_option(*verb, options->run.data);
  auto* run =
      verb->add_option("--run", options->folder, "Folder to make (default: runs/NAME, NAME2, ...)")
          ->type_name("DIR");
  auto* resumed = verb->add_option("--resume", options->resume,
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
  verb->add_option("--seeds", options->seeds,
                   "Train N runs with seeds from the experiment's on, in\n"
                   "RUN/seed-*; print the mean and standard deviation.\n"
                   "The same command continues stopped runs")
      ->type_name("N")
      ->check(whole_number(1, 1000))
      ->excludes(resumed);
  add_parallel_option(*verb, options->run.parallel);
  add_deadline_option(*verb, options->deadline);
  verb->add_flag("--profile", options->profile, "Print the time of each layer in each stage");
  verb->add_flag("--tensorboard", options->run.tensorboard,
                 "Also write curves for TensorBoard during training");
  verb->callback([options] { train(*options); });
}

}  // namespace sluice::cli

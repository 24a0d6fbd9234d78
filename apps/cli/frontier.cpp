#include "cli/options.h"
#include "cli/output.h"
#include "cli/ranks.h"
#include "cli/run_printer.h"
#include "cli/verbs.h"
#include "sluice/files.h"
#include "sluice/lab/report.h"
#include "sluice/lab/run.h"
#include "sluice/process.h"
#include "sluice/text.h"

namespace sluice::cli {

namespace {

struct FrontierSettings {
  std::string experiment;
  std::string folder;
  std::vector<std::string> set;
  RunOptions run;
  double deadline = 60;  ///< seconds
};

void find_frontier_here(FrontierSettings settings) {
  settings.run.folder = settings.folder;
  const Experiment experiment = read_experiment(settings.experiment, settings.set);
  RunPrinter printer(RunPrinter::Detail::brief);
  try {
    const Frontier frontier = run_frontier(experiment, settings.run, printer);
    print_out("\n{}\nfigures: {}\n", frontier_text(frontier), path_text(frontier.folder));
  } catch (const Stopped&) {
    print_out("\n\nnot finished; the same command continues\n");
    check_interrupt();
    throw;
  }
}

void find_frontier(const FrontierSettings& settings) {
  on_ranks(settings.deadline, [&](Cluster* cluster) {
    FrontierSettings own = settings;
    own.run.cluster = cluster;
    find_frontier_here(own);
  });
}

}  // namespace

void add_frontier(CLI::App& app) {
  auto* verb = app.add_subcommand("frontier", "Compare a mixture with dense networks of its work");
  verb->footer(R"(Trains the mixture of an experiment, and dense networks of several widths, each
with several seeds. A dense network is the mixture's without its experts, and
is trained for as many epochs as the mixture's training work allows. The best
one that needs at most the mixture's work for an image is chosen by validation
images; then both are compared on the test images.

[frontier] of the experiment has the sweep: seeds = 5, widths = [0.75, 1.0,
1.25, 1.5, 2.0], work = [1.0] (parts of the mixture's training work).

Examples:
  sluice frontier experiments/cascade.toml
  sluice frontier experiments/cascade.toml --set frontier.seeds=1
  sluice frontier experiments/cascade.toml --parallel 2
  sluice frontier experiments/lab.toml --set train.validation_split=0.1

Writes DIR/frontier.html, frontier.png, frontier.json, and each run's folder,
DIR/seed-0/mixture, DIR/seed-0/width-1.5. The same command continues a stopped
sweep and does not repeat finished runs.)");
  const auto settings = std::make_shared<FrontierSettings>();
  add_experiment(*verb, settings->experiment);
  add_data_option(*verb, settings->run.data);
  verb->add_option("--run", settings->folder, "Folder of the sweep (default: runs/NAME-frontier)")
      ->type_name("DIR");
  verb->add_option("--set", settings->set, "Override a value of the experiment; repeatable")
      ->type_name("KEY=VALUE")
      ->take_all();
  add_parallel_option(*verb, settings->run.parallel);
  add_deadline_option(*verb, settings->deadline);
  verb->callback([settings] { find_frontier(*settings); });
}

}  // namespace sluice::cli

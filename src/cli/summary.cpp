#include <fmt/format.h>

#include <filesystem>

#include "cli/verbs.h"
#include "sluice/experiment.h"
#include "sluice/report.h"

namespace sluice::cli {

namespace {

Experiment experiment_of(const std::string& path) {
  return std::filesystem::is_directory(path) ? RunFolder::open(path).read_experiment()
                                             : read_experiment(path);
}

void summarize_models(const std::string& path) {
  const Mixture model = declare(experiment_of(path));
  fmt::print("{}\nThe experts are built like the baseline.\n\n{}\n{}\n{}",
             summary_text(model.baseline), summary_text(model.gate),
             summary_text(model.branches.front().importance), summary_text(model));
}

}  // namespace

void add_summary(CLI::App& app) {
  auto* verb = app.add_subcommand("summary", "Show the layers and parameters of the models");
  verb->footer(R"(Examples:
  sluice summary experiments/lab.toml
  sluice summary runs/lab)");
  const auto path = std::make_shared<std::string>();
  verb->add_option("PATH", *path, "An experiment's TOML file or a run folder")->required();
  verb->callback([path] { summarize_models(*path); });
}

}  // namespace sluice::cli

#include <fmt/format.h>

#include <filesystem>

#include "cli/output.h"
#include "cli/verbs.h"
#include "sluice/files.h"
#include "sluice/lab/report.h"
#include "sluice/lab/run_folder.h"

namespace sluice::cli {

namespace {

void summarize_mixture(const Mixture& model) {
  print_out("{}\nThe experts are built like the baseline.\n\n{}\n{}\n{}",
            summary_text(model.baseline), summary_text(model.gate),
            summary_text(model.branches.front().importance), summary_text(model));
}

void summarize_file(const AnyModel& model) {
  if (const auto* mixture = std::get_if<SavedMixture>(&model)) {
    summarize_mixture(mixture->model);
  } else {
    print_out("{}", summary_text(std::get<SavedModel>(model).model));
  }
}

/// Prints the models of a run. An imported run may not have all that its experiment declares; a
/// mixture has all parts.
void summarize_run(const RunFolder& run) {
  if (run.has_model(names::kMixture)) {
    summarize_mixture(run.read_mixture().model);
    return;
  }
  for (const std::string& name : run.models()) summarize_file(run.read_model(name));
}

void summarize(const std::filesystem::path& path) {
  std::error_code ignored;
  if (is_folder(path)) {
    summarize_run(RunFolder::open(path));
  } else if (std::filesystem::exists(path, ignored) &&
             kind_of_file(path, "summary").of == FileKind::Of::sluice) {
    summarize_file(read_model(path));
  } else {
    summarize_mixture(declare(read_experiment(path)));
  }
}

}  // namespace

void add_summary(CLI::App& app) {
  auto* verb = app.add_subcommand("summary", "Show the layers and parameters of the models");
  verb->footer(R"(Examples:
  sluice summary experiments/lab.toml
  sluice summary runs/lab
  sluice summary runs/lab/gate/model.safetensors)");
  const auto path = std::make_shared<std::string>();
  verb->add_option("PATH", *path,
                   "An experiment's TOML file, a run folder\nor one model.safetensors")
      ->required();
  verb->callback([path] { summarize(*path); });
}

}  // namespace sluice::cli

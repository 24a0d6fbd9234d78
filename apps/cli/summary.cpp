#include <fmt/format.h>

#include <filesystem>

#include "cli/output.h"
#include "cli/verbs.h"
#include "sluice/files.h"
#include "sluice/lab/report.h"
#include "sluice/lab/run_folder.h"

namespace sluice::cli {

namespace {

void print_summary(const Sequential& model) {
  print_out("{}", summary_text(model));
}
void print_summary(const Mixture& model) {
  print_out("{}\nThe experts are built like the baseline.\n\n{}\n{}\n{}",
            summary_text(model.baseline), summary_text(model.gate),
            summary_text(model.branches.front().importance), summary_text(model));
}

std::size_t bytes_of(const Weights& weights) {
  return weights.values().size_bytes();
}
std::size_t bytes_of(const MixtureWeights& weights) {
  std::size_t bytes = 0;
  for (const Weights* part : weights.parts()) bytes += bytes_of(*part);
  return bytes;
}

/// Also prints what the compiled model takes, without images and the optimizer's state.
template <class Model, class ModelWeights>
void print_with_memory(const Model& model, ModelWeights weights, const LabOptions& options) {
  print_summary(model);
  const auto megabytes = [&](const CompiledModel& compiled) {
    return static_cast<double>(compiled.memory_bytes() + bytes_of(weights)) / 1e6;
  };
  const double training =
      megabytes(*compile(model, weights, {options.batch_size, options.compute}));
  const double inference = megabytes(*compile_for_inference(model, weights, {1, options.compute}));
  print_out(" Memory: {:.1f} MB to train in batches of {}, {:.1f} MB for one image at inference\n",
            training, options.batch_size, inference);
}

/// Prints the models of a run. An imported run may not have all that its experiment declares; a
/// mixture has all parts.
void summarize_run(const RunFolder& run) {
  const LabOptions options = run.read_experiment().lab;
  const auto print = [&](const auto& saved) {
    print_with_memory(saved.model, saved.weights, options);
  };
  if (run.has_model(names::kMixture)) return print(run.read_mixture());
  for (const std::string& name : run.models()) print(run.read_model(name));
}

/// Prints the models of an experiment. A folder's classes are those of its groups, or without
/// groups those of the data.
void summarize_experiment(const std::filesystem::path& path, const std::string& data) {
  const Experiment experiment = read_experiment(path);
  std::vector<std::string> classes = class_names_of(experiment);
  if (classes.empty()) classes = list_classes(experiment.data, data);
  const auto models = declare(experiment, classes);
  if (const auto* mixture = std::get_if<Mixture>(&models)) {
    return print_with_memory(*mixture, MixtureWeights(*mixture), experiment.lab);
  }
  const auto& model = std::get<Sequential>(models);
  print_with_memory(model, Weights(model), experiment.lab);
  if (experiment.finds_groups) {
    print_out("\nThe groups of the mixture are found when this baseline is trained.\n");
  }
}

void summarize(const std::filesystem::path& path, const std::string& data) {
  std::error_code ignored;
  if (is_folder(path)) {
    summarize_run(RunFolder::open(path));
  } else if (std::filesystem::exists(path, ignored) &&
             kind_of_file(path, "summary").of == FileKind::Of::sluice) {
    std::visit([](const auto& saved) { print_summary(saved.model); }, read_model(path));
  } else {
    summarize_experiment(path, data);
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
  const auto data = std::make_shared<std::string>();
  verb->add_option("PATH", *path,
                   "An experiment's TOML file, a run folder\nor one model.safetensors")
      ->required();
  verb->add_option("--data", *data,
                   "Folder with train/CLASS, for an experiment on a\n"
                   "folder without groups, which needs its classes")
      ->type_name("DIR");
  verb->callback([path, data] { summarize(*path, *data); });
}

}  // namespace sluice::cli

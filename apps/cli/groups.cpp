#include <fmt/format.h>

#include <filesystem>

#include "cli/fail.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "sluice/files.h"
#include "sluice/lab/class_groups.h"
#include "sluice/lab/report.h"
#include "sluice/process.h"
#include "sluice/text.h"

namespace sluice::cli {

namespace {

struct GroupsOptions {
  std::string run;
  std::string data;
  std::string to;
  int count = 0;
  double overlap = 0;
  Clustering clustering = Clustering::agglomerative;
};

void find(const GroupsOptions& options) {
  const RunFolder folder = RunFolder::open(options.run);
  Experiment experiment = folder.read_experiment();
  std::error_code ignored;
  if (!options.to.empty() && std::filesystem::exists(options.to, ignored)) {
    throw user_error("groups", "{} exists: choose another name (--to)", one_line(options.to));
  }
  const SavedModel saved = folder.read_model(names::kBaseline);
  const Dataset data = load_run_data(folder, experiment, options.data, data_events());
  const Examples images = images_to_choose_by(experiment.lab, data);
  require_fit(options.run, names::kBaseline, saved.model.input, saved.class_names, images);
  check_interrupt();
  const auto compiled = compile_for_inference(
      saved.model, saved.weights, inference_options(experiment.lab.compute, images.shape()));
  const ClassConfusions confusions = class_confusions(*compiled, images);
  const int count = options.count > 0 ? options.count : number_of_groups(class_tree(confusions));
  experiment.groups = find_groups(confusions, count, options.clustering);
  if (options.overlap > 0) add_overlaps(confusions, options.overlap, experiment.groups);
  print_out("\n{}", class_groups_text(confusions, experiment.groups));
  if (options.to.empty()) {
    print_out("{}", groups_toml(experiment.groups));
    return;
  }
  experiment.name = std::filesystem::path(options.to).stem().string();
  write_file(options.to, to_toml(experiment));
  print_out("\nexperiment: {}\ntrain it:   sluice train {}\n", options.to,
            argument_text(options.to));
}

}  // namespace

void add_groups(CLI::App& app) {
  auto* verb = app.add_subcommand("groups", "Find groups of classes that a network confuses");
  verb->footer(R"(Looks at what the run's baseline takes the validation images for, and never at
test images: train with validation images of the data, or with
--set train.validation_split=0.1. Prints the tree of the classes, the errors
that experts of the groups could mend, and the [[groups]] of an experiment.

Examples:
  sluice groups runs/one-network
  sluice groups runs/one-network --count 3 --method spectral
  sluice groups runs/one-network --overlap 0.1
  sluice groups runs/one-network --to with-groups.toml)");
  const auto options = std::make_shared<GroupsOptions>();
  add_run(*verb, options->run);
  add_data_option(*verb, options->data);
  verb->add_option("--count", options->count,
                   "Number of groups (default: where the tree has\n"
                   "its largest gap)")
      ->type_name("N")
      ->check(whole_number(2, 65536));
  verb->add_option("--method", options->clustering,
                   "agglomerative: cuts the tree (default);\n"
                   "spectral: by eigenvectors of the similarities")
      ->type_name("METHOD")
      ->transform(word_to_number({{"agglomerative", static_cast<int>(Clustering::agglomerative)},
                                  {"spectral", static_cast<int>(Clustering::spectral)}}));
  verb->add_option("--overlap", options->overlap,
                   "A group's expert also learns the classes\n"
                   "whose images are taken for one of the group's\n"
                   "with this mean probability or more\n"
                   "(default: none)")
      ->type_name("SHARE")
      ->check(CLI::Range(0.001, 1.0));
  verb->add_option("--to", options->to, "File for the run's experiment with these groups")
      ->type_name("FILE");
  verb->callback([options] { find(*options); });
}

}  // namespace sluice::cli

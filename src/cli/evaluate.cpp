#include <fmt/format.h>

#include "cli/interrupt.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "sluice/report.h"

namespace sluice::cli {

namespace {

struct EvaluateOptions {
  std::string run;
  std::string data;
};

void print_row(const std::string& model, const Examples& test, const Evaluation& result) {
  fmt::print("{:<22} {:>8} {:>9.3f} {:>9.4f} {:>10.0f}\n", model, test.size(), result.accuracy,
             result.loss, result.images_per_second);
  std::fflush(stdout);
}

void evaluate_run(const EvaluateOptions& options) {
  const RunFolder folder = RunFolder::open(options.run);
  const Experiment experiment = folder.read_experiment();
  const Dataset data = load_data(experiment.data, options.data, data_events());
  const Groups groups(experiment.groups, data.class_names, options.run);
  const Lab lab(experiment.lab, data, groups);
  const Mixture model = lab.declare();
  const Examples test = lab.test_examples();

  fmt::print("\n{:<22} {:>8} {:>9} {:>9} {:>10}\n", "model", "images", "accuracy", "loss",
             "images/s");
  std::vector<std::string> missing;
  const auto evaluate_model = [&](const Sequential& declared, const Examples& examples) {
    check_interrupt();
    if (!folder.has_weights(declared.name)) {
      missing.push_back(declared.name);
      return;
    }
    auto loaded = folder.read_weights(declared.name, declared, examples.class_names());
    const auto compiled = compile(declared, loaded, inference_options());
    print_row(declared.name, examples, evaluate(*compiled, examples));
  };
  evaluate_model(model.baseline, test);
  for (int g = 0; g < groups.count(); ++g) {
    evaluate_model(model.branches[g].expert, test.of_group(groups, g));
  }
  evaluate_model(model.gate, test.labelled_by_group(groups));

  if (!folder.has_weights("mixture")) {
    missing.emplace_back("mixture");
  } else {
    MixtureWeights weights = folder.read_weights(model, data.class_names);
    const auto compiled = compile(model, weights, inference_options());
    const Evaluation result = evaluate(*compiled, test);
    print_row("mixture", test, result);
    fmt::print("\nmixture\n{}", confusion_text(result.confusion));
  }
  if (!missing.empty()) {
    fmt::print("\nthe run was stopped before it finished: {}\n", fmt::join(missing, ", "));
  }
}

}  // namespace

void add_evaluate(CLI::App& app) {
  auto* verb = app.add_subcommand("evaluate", "Evaluate every model of a run on the test images");
  verb->footer(R"(Experts are evaluated on their own classes.

Examples:
  sluice evaluate runs/lab
  sluice evaluate runs/lab --data ~/cifar-10-batches-bin)");
  const auto options = std::make_shared<EvaluateOptions>();
  add_run(*verb, options->run);
  add_data_option(*verb, options->data);
  verb->callback([options] { evaluate_run(*options); });
}

}  // namespace sluice::cli

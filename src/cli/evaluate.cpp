#include <fmt/ranges.h>

#include "cli/interrupt.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "sluice/error.h"
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

/// Outputs are told apart by their place alone, so the classes must be those of the training.
void require_classes(const std::string& run, const std::vector<std::string>& trained,
                     const std::vector<std::string>& given) {
  if (trained == given) return;
  throw Error(Fault::user, "evaluate",
              fmt::format("{} was trained on the classes {}, but the data has {}: give the data it "
                          "was trained on",
                          run, fmt::join(trained, ", "), fmt::join(given, ", ")));
}

void evaluate_run(const EvaluateOptions& options) {
  const RunFolder folder = RunFolder::open(options.run);
  const Experiment experiment = folder.read_experiment();
  const Dataset data = load_data(experiment.data, options.data, data_events());
  const Groups groups(experiment.groups, data.class_names, options.run);
  const Mixture model = declare(experiment);
  const Examples test(data.test, data.class_names);

  fmt::print("\n{:<22} {:>8} {:>9} {:>9} {:>10}\n", "model", "images", "accuracy", "loss",
             "images/s");
  std::vector<std::string> missing;
  const auto evaluate_model = [&](const Sequential& declared, const Examples& examples) {
    check_interrupt();
    if (!folder.has_weights(declared.name)) {
      missing.push_back(declared.name);
      return;
    }
    auto loaded = folder.read_weights(declared.name, declared);
    require_classes(options.run, loaded.class_names, examples.class_names());
    const auto compiled = compile(declared, loaded.weights, inference_options());
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
    auto loaded = folder.read_weights(model);
    require_classes(options.run, loaded.class_names, data.class_names);
    const auto compiled = compile(model, loaded.weights, inference_options());
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

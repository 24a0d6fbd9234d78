#include <fmt/ranges.h>

#include <algorithm>

#include "cli/fail.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "sluice/lab/report.h"
#include "sluice/process.h"
#include "sluice/text.h"

namespace sluice::cli {

namespace {

struct EvaluateOptions {
  std::string run;
  std::string data;
  std::vector<std::string> set;
  Compute compute = Compute::automatic;
  std::optional<Views> views;
  bool profile = false;
  Routing routing;
};

void print_row(const std::string& model, const Examples& test, const Evaluation& result) {
  print_out("{:<22} {:>8} {:>9.3f} {:>9.4f} {:>10.0f}\n", model, test.size(), result.accuracy,
            result.loss, result.images_per_second);
  flush_out();
}

/// Returns a model that routes as the options say.
template <class Saved>
Saved routed(Saved saved, const EvaluateOptions& options) {
  AnyModel model = std::move(saved);
  set_routing(model, options.routing);
  return std::get<Saved>(std::move(model));
}

/// Evaluates a model, and adds its profile to `profiles`.
template <class Saved>
Evaluation evaluate_saved(const RunFolder& folder, const std::string& name, const Saved& saved,
                          const Examples& test, const EvaluateOptions& options, Views views,
                          std::string& profiles) {
  const auto compiled = compile_for_inference(saved.model, saved.weights,
                                              inference_options(options.compute, test.shape()));
  require_fit(folder.path(), name, compiled->input_shape(), saved.class_names, test);
  compiled->start_profile();
  const Evaluation result = evaluate(*compiled, test, views);
  profiles +=
      fmt::format("\n{}, seconds\n{}", name, profile_text(compiled->profile(), result.seconds));
  return result;
}

/// Prints details of the mixture, else of the baseline, else of all models. Parts are of interest
/// only if there is no model for all classes.
void print_details(const std::vector<std::pair<std::string, Evaluation>>& results) {
  const auto whole = std::ranges::find_if(results.rbegin(), results.rend(), [](const auto& result) {
    return result.first == names::kMixture || result.first == names::kBaseline;
  });
  for (const auto& [name, result] : results) {
    if (whole != results.rend() && name != whole->first) continue;
    print_out("\n{}\n{}\n{}", name, confusion_text(result.confusion),
              classification_text(result.confusion));
    if (!result.experts.empty()) print_out("\n{}", expert_use_text(result));
  }
}

void evaluate_run(const EvaluateOptions& options) {
  const RunFolder folder = RunFolder::open(options.run);
  const Experiment experiment = folder.read_experiment(options.set);
  const bool others = !options.data.empty() || !options.set.empty();
  const Dataset data = load_test_data(folder, experiment, options.data, others, data_events());
  const Groups groups(experiment.groups, data.class_names, options.run);
  const Examples test(data.test, data.class_names);

  print_out("\n{:<22} {:>8} {:>9} {:>9} {:>10}\n", "model", "images", "accuracy", "loss",
            "images/s");
  std::vector<std::pair<std::string, Evaluation>> results;
  std::vector<std::string> missing;
  std::string profiles;
  for (const Stage& stage : stages({}, experiment.groups)) {
    check_interrupt();
    const Examples examples = examples_of(stage, test, groups);
    if (!folder.has_model(stage.name)) {
      missing.push_back(stage.name);
      continue;
    }
    if (examples.size() == 0) {
      print_out("{:<22} {:>8}\n", stage.name, 0);
      continue;
    }
    const auto evaluated = [&](const auto& saved) {
      return evaluate_saved(folder, stage.name, saved, examples, options,
                            options.views.value_or(experiment.views), profiles);
    };
    results.emplace_back(stage.name,
                         stage.kind == StageKind::mixture
                             ? evaluated(routed(folder.read_mixture(), options))
                             : evaluated(routed(folder.read_model(stage.name), options)));
    print_row(stage.name, examples, results.back().second);
  }
  print_details(results);
  if (options.profile) print_out("{}", profiles);
  if (!missing.empty()) print_out("\nnot in this run: {}\n", fmt::join(missing, ", "));
}

}  // namespace

void add_evaluate(CLI::App& app) {
  auto* verb = app.add_subcommand("evaluate", "Evaluate every model of a run on the test images");
  verb->footer(
      R"(Evaluates experts on their own classes. Without --data it uses the run's own
images: RUN/data.json has their place and checksums. A folder for --data needs
only test/CLASS.

Examples:
  sluice evaluate runs/lab
  sluice evaluate runs/lab --data ~/cifar-10-batches-bin
  sluice evaluate runs/lab --views mirror
  sluice evaluate runs/cascade --share 0.5
  sluice evaluate runs/lab --compute exact --profile)");
  const auto options = std::make_shared<EvaluateOptions>();
  add_run(*verb, options->run);
  add_data_option(*verb, options->data);
  add_set_data_option(*verb, options->set);
  add_compute_option(*verb, options->compute);
  verb->add_option("--views", options->views,
                   "mirror: combines the predictions of each image\n"
                   "and its mirror image; mirror+shift: also of both\n"
                   "shifted by a pixel, six views in all; one: the\n"
                   "image only; default: evaluate.views of the run")
      ->type_name("VIEWS")
      ->transform(word_to_number({{"one", static_cast<int>(Views::one)},
                                  {"mirror", static_cast<int>(Views::mirror)},
                                  {"mirror+shift", static_cast<int>(Views::mirror_shift)}}));
  add_routing_options(*verb, options->routing);
  verb->add_flag("--profile", options->profile, "Print the time of each layer");
  verb->callback([options] { evaluate_run(*options); });
}

}  // namespace sluice::cli

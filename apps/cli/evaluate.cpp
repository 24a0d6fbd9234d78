#include <fmt/ranges.h>

#include <algorithm>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/run_data.h"
#include "cli/verbs.h"
#include "sluice/error.h"
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
  bool profile = false;
};

void print_row(const std::string& model, const Examples& test, const Evaluation& result) {
  print_out("{:<22} {:>8} {:>9.3f} {:>9.4f} {:>10.0f}\n", model, test.size(), result.accuracy,
            result.loss, result.images_per_second);
  flush_out();
}

/// Outputs are told apart by their place alone, so the classes must be those of the training.
void require_fit(const std::string& run, const std::string& model, const Shape& input,
                 const std::vector<std::string>& classes, const Examples& given) {
  if (classes != given.class_names()) {
    throw Error(
        Fault::user, "evaluate",
        fmt::format("{}: {} tells apart {}, but the data has {}: give the data it was "
                    "trained on",
                    run, model, fmt::join(classes, ", "), fmt::join(given.class_names(), ", ")));
  }
  if (input != given.shape()) {
    throw Error(Fault::user, "evaluate",
                fmt::format("{}: {} takes images of {}, but the data's are {}", run, model,
                            to_string(input), to_string(given.shape())));
  }
}

/// Adds where the time went to `profiles`.
Evaluation evaluate_profiled(const std::string& name, const std::unique_ptr<CompiledModel>& model,
                             const Examples& test, std::string& profiles) {
  model->start_profile();
  const Evaluation result = evaluate(*model, test);
  profiles +=
      fmt::format("\n{}, seconds\n{}", name, profile_text(model->profile(), result.seconds));
  return result;
}

Evaluation evaluate_mixture(const RunFolder& folder, const Examples& test, Compute compute,
                            std::string& profiles) {
  SavedMixture saved = folder.read_mixture();
  require_fit(folder.path(), "mixture", saved.model.baseline.input, saved.class_names, test);
  return evaluate_profiled(
      "mixture", compile_for_inference(saved.model, saved.weights, inference_options(compute)),
      test, profiles);
}

Evaluation evaluate_network(const RunFolder& folder, const std::string& name, const Examples& test,
                            Compute compute, std::string& profiles) {
  SavedModel saved = folder.read_model(name);
  require_fit(folder.path(), name, saved.model.input, saved.class_names, test);
  return evaluate_profiled(
      name, compile_for_inference(saved.model, saved.weights, inference_options(compute)), test,
      profiles);
}

/// The classes in the order of their labels: CIFAR-10's, or those of its folders, sorted.
std::vector<std::string> classes_of(const Experiment& experiment) {
  if (experiment.data.set != "folder") return cifar10_class_names();
  std::vector<std::string> names;
  for (const Groups::Group& group : experiment.groups) {
    names.insert(names.end(), group.classes.begin(), group.classes.end());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// The run's own test images, or others where the user asks for them.
Dataset load_test_images(const RunFolder& run, const Experiment& experiment,
                         const EvaluateOptions& options) {
  const std::optional<DataRecord> record = run.read_data();
  Dataset data = load_test_data(experiment.data, classes_of(experiment),
                                data_place(run, record, options.data), data_events());
  if (!record || record_of(data, record->set).test.sha256 == record->test.sha256) return data;
  const std::string before = training_in_words(run, *record);
  if (options.data.empty() && options.set.empty()) {
    throw Error(Fault::user, "evaluate",
                fmt::format("{}, and its test images are others now: put the {} of then back, or "
                            "pass --data {} to evaluate on those of now",
                            before, record->test.images, argument_text(record->place)));
  }
  print_out("data: {}, whose {} test images these are not\n", before, record->test.images);
  return data;
}

/// Of the mixture, else of the baseline, else of all there are: a part alone is of interest where
/// nothing answers for all.
void print_details(const std::vector<std::pair<std::string, Evaluation>>& results) {
  const auto whole = std::ranges::find_if(results.rbegin(), results.rend(), [](const auto& result) {
    return result.first == "mixture" || result.first == "baseline";
  });
  for (const auto& [name, result] : results) {
    if (whole != results.rend() && name != whole->first) continue;
    print_out("\n{}\n{}\n{}", name, confusion_text(result.confusion),
              classification_text(result.confusion));
  }
}

void evaluate_run(const EvaluateOptions& options) {
  const RunFolder folder = RunFolder::open(options.run);
  const Experiment experiment = folder.read_experiment(options.set);
  const Dataset data = load_test_images(folder, experiment, options);
  const Groups groups(experiment.groups, data.class_names, options.run);
  const Examples test(data.test, data.class_names);

  print_out("\n{:<22} {:>8} {:>9} {:>9} {:>10}\n", "model", "images", "accuracy", "loss",
            "images/s");
  std::vector<std::pair<std::string, Evaluation>> results;
  std::vector<std::string> missing;
  std::string profiles;
  const auto evaluate_if_there = [&](const std::string& name, const Examples& examples) {
    check_interrupt();
    if (!folder.has_model(name)) {
      missing.push_back(name);
      return;
    }
    if (examples.size() == 0) {
      print_out("{:<22} {:>8}\n", name, 0);
      return;
    }
    results.emplace_back(name, evaluate_network(folder, name, examples, options.compute, profiles));
    print_row(name, examples, results.back().second);
  };
  evaluate_if_there("baseline", test);
  for (int g = 0; g < groups.count(); ++g) {
    evaluate_if_there("expert-" + groups.name(g), test.of_group(groups, g));
  }
  evaluate_if_there("gate", test.labelled_by_group(groups));
  if (folder.has_model("mixture")) {
    results.emplace_back("mixture", evaluate_mixture(folder, test, options.compute, profiles));
    print_row("mixture", test, results.back().second);
  } else {
    missing.emplace_back("mixture");
  }
  print_details(results);
  if (options.profile) print_out("{}", profiles);
  if (!missing.empty()) print_out("\nnot in this run: {}\n", fmt::join(missing, ", "));
}

}  // namespace

void add_evaluate(CLI::App& app) {
  auto* verb = app.add_subcommand("evaluate", "Evaluate every model of a run on the test images");
  verb->footer(
      R"(Experts are evaluated on their own classes. Without --data the images are the
run's own: RUN/data.json tells where they are, and has their check sums. Of a
folder for --data test/CLASS is enough.

Examples:
  sluice evaluate runs/lab
  sluice evaluate runs/lab --data ~/cifar-10-batches-bin
  sluice evaluate runs/lab --compute exact --profile)");
  const auto options = std::make_shared<EvaluateOptions>();
  add_run(*verb, options->run);
  add_data_option(*verb, options->data);
  add_set_data_option(*verb, options->set);
  add_compute_option(*verb, options->compute);
  verb->add_flag("--profile", options->profile, "Tell where the time went, layer by layer");
  verb->callback([options] { evaluate_run(*options); });
}

}  // namespace sluice::cli

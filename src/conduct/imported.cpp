#include "base/fail.h"
#include "base/text.h"
#include "conduct/conductor.h"
#include "conduct/picture.h"

namespace sluice {

namespace {

namespace fs = std::filesystem;

/// Evaluates the models of an imported run.
class ImportedRun {
 public:
  ImportedRun(RunFolder folder, const Experiment& experiment, const Dataset& data,
              RunObserver& observer)
      : folder_(std::move(folder)),
        figures_(folder_.figures()),
        test_(data.test, data.class_names),
        groups_(experiment.groups, data.class_names, path_text(folder_.path())),
        observer_(observer),
        results_(results_about(experiment, data)) {}

  Results evaluate() {
    const Timer timer;
    const Answers answers = results_.has_mixture() ? of_mixture() : of_network();
    finish_run(folder_, answers, test_, timer, results_, observer_);
    return std::move(results_);
  }

 private:
  Answers of_network() {
    const SavedModel saved = folder_.read_model(names::kBaseline);
    require_fit(names::kBaseline, saved);
    results_.baseline = result_of(names::kBaseline, saved.model, saved.weights, test_, views());
    return ask_alone(saved.model, saved.weights, test_, inference(throughput()), views());
  }

  Answers of_mixture() {
    const SavedMixture saved = folder_.read_mixture();
    const Mixture& model = saved.model;
    require_fit(names::kMixture, {model.baseline, saved.weights.baseline, saved.class_names});
    SavedModel baseline{model.baseline, saved.weights.baseline, saved.class_names};
    if (folder_.has_model(names::kBaseline)) baseline = folder_.read_model(names::kBaseline);
    require_fit(names::kBaseline, baseline);
    results_.baseline = result_of(names::kBaseline, baseline.model, baseline.weights, test_);
    for (int g = 0; g < groups_.count(); ++g) {
      const Examples own = test_.of_group(groups_, g);
      const std::string& group = groups_.name(g);
      if (own.size() == 0) {
        throw user_error("evaluate",
                         "there is no test image of group '{}', for its expert: add some",
                         one_line(group));
      }
      const Sequential& expert = model.branches[g].expert;
      const Weights& weights = saved.weights.experts[g];
      ModelResult result = result_of(names::expert(group), expert, weights, own);
      const auto compiled = compile_for_inference(expert, weights, inference(throughput()));
      result.whole = sluice::evaluate(*compiled, test_);
      results_.experts.push_back({group, std::move(result)});
    }
    results_.gate =
        result_of(names::kGate, model.gate, saved.weights.gate, test_.labelled_by_group(groups_));
    results_.mixture = result_of(names::kMixture, model, saved.weights, test_);
    return ask(baseline.model, baseline.weights, model, saved.weights, groups_, test_,
               inference(throughput()));
  }

  void require_fit(const std::string& name, const SavedModel& saved) const {
    sluice::require_fit(folder_.path(), name, saved.model.input, saved.class_names, test_);
  }

  template <class Model, class ModelWeights>
  ModelResult result_of(const std::string& name, const Model& model, const ModelWeights& weights,
                        const Examples& examples, Views views = Views::one) {
    const auto compiled = compile_for_inference(model, weights, inference(throughput()));
    ModelResult result{.cost = cost_of(model),
                       .test = sluice::evaluate(*compiled, examples, views)};
    result.latency_ms = latency_ms(*compile_for_inference(model, weights, inference(1)), examples);
    picture(observer_,
            [&] { figures_.confusion(name + "-confusion", name, result.test.confusion); });
    return result;
  }

  Views views() const { return results_.experiment.views; }
  int throughput() const { return throughput_batch(test_.shape()); }
  CompileOptions inference(int batch) const {
    return stoppable_inference(batch, results_.experiment.lab.compute, observer_);
  }

  RunFolder folder_;
  Figures figures_;
  Examples test_;
  Groups groups_;
  RunObserver& observer_;
  Results results_;
};

}  // namespace

Results evaluate_imported(const fs::path& run, const std::string& data, RunObserver& observer) {
  RunFolder folder = RunFolder::open(run);
  if (!folder.imported()) {
    throw user_error("evaluate", "{} is not an imported run: its training evaluates it",
                     path_text(run));
  }
  Experiment experiment = folder.read_experiment();
  const bool has_mixture = folder.has_model(names::kMixture);
  if (!has_mixture && !folder.has_model(names::kBaseline)) {
    throw user_error("evaluate",
                     "{} has neither a baseline nor a mixture, which a report is about: import one",
                     path_text(run));
  }
  const Dataset images =
      load_test_data(folder, experiment, data, !data.empty(), stoppable(observer));
  if (!has_mixture) experiment.groups.clear();
  return ImportedRun(std::move(folder), experiment, images, observer).evaluate();
}

}  // namespace sluice

#include <fmt/chrono.h>

#include <ctime>

#include "base/machine.h"
#include "io/json_text.h"
#include "onednn/version.h"
#include "sluice/run_folder.h"

namespace sluice {
namespace {

using Json = nlohmann::ordered_json;

Json confusion_json(const ConfusionMatrix& matrix) {
  Json counts = Json::array();
  for (int truth = 0; truth < matrix.classes(); ++truth) {
    Json row = Json::array();
    for (int prediction = 0; prediction < matrix.classes(); ++prediction) {
      row.push_back(matrix.count(truth, prediction));
    }
    counts.push_back(std::move(row));
  }
  return {{"classes", matrix.class_names()}, {"counts", std::move(counts)}};
}

Json evaluation_json(const Evaluation& evaluation) {
  return {{"accuracy", evaluation.accuracy},
          {"loss", evaluation.loss},
          {"test_images", evaluation.confusion.total()},
          {"test_images_per_second", evaluation.images_per_second},
          {"confusion", confusion_json(evaluation.confusion)}};
}

Json model_json(const ModelResult& result) {
  Json json{{"parameters", result.parameters},
            {"epochs", result.history.epochs.size()},
            {"seconds", result.history.seconds},
            {"train_images_per_second", result.history.images_per_second}};
  json.update(evaluation_json(result.test));
  if (result.whole) json["whole_test_set"] = evaluation_json(*result.whole);
  return json;
}

Json groups_json(const std::vector<Groups::Group>& groups) {
  Json json = Json::array();
  for (const Groups::Group& group : groups) {
    json.push_back(Json{{"name", group.name}, {"classes", group.classes}});
  }
  return json;
}

Json machine_json(const Machine& machine) {
  return {{"cpu", machine.cpu},
          {"cores", machine.cores},
          {"threads", machine.threads},
          {"memory_bytes", machine.memory_bytes},
          {"os", machine.os}};
}

Json experiment_json(const Experiment& experiment) {
  const LabOptions& lab = experiment.lab;
  return {{"name", experiment.name},
          {"size", lab.size == CnnSize::large ? "large" : "small"},
          {"optimizer", "adam"},
          {"learning_rate", lab.adam.learning_rate},
          {"batch_size", lab.batch_size},
          {"epochs",
           {{"baseline", lab.epochs.baseline},
            {"experts", lab.epochs.experts},
            {"gate", lab.epochs.gate},
            {"mixture", lab.epochs.mixture}}}};
}

/// What the mixture costs and brings. All stages count for it, because it is trained from them all.
Json comparison_json(const Results& results) {
  const ModelResult& baseline = results.baseline;
  const ModelResult& mixture = results.mixture;
  return {{"accuracy_difference", mixture.test.accuracy - baseline.test.accuracy},
          {"parameters_ratio",
           static_cast<double>(mixture.parameters) / static_cast<double>(baseline.parameters)},
          {"seconds_baseline", baseline.history.seconds},
          {"seconds_mixture_all_stages", mixture_seconds(results)},
          {"test_images_per_second_baseline", baseline.test.images_per_second},
          {"test_images_per_second_mixture", mixture.test.images_per_second}};
}

}  // namespace

double mixture_seconds(const Results& results) {
  double seconds = results.baseline.history.seconds + results.gate.history.seconds +
                   results.mixture.history.seconds;
  for (const Results::Expert& expert : results.experts) seconds += expert.result.history.seconds;
  return seconds;
}

std::string to_json(const Results& results) {
  const Machine machine = this_machine();
  Json experts = Json::object();
  for (const Results::Expert& expert : results.experts) {
    experts[expert.group] = model_json(expert.result);
  }
  return json_text(
      {{"finished_at", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))},
       {"data",
        {{"name", results.data_name},
         {"source", results.data_source},
         {"class_names", results.class_names},
         {"train_images", results.train_images},
         {"test_images", results.test_images}}},
       {"groups", groups_json(results.experiment.groups)},
       {"machine", machine_json(machine)},
       {"versions",
        {{"sluice", SLUICE_VERSION}, {"onednn", onednn_version()}, {"compiler", machine.compiler}}},
       {"seed", results.experiment.lab.seed},
       {"compute", to_string(on_this_processor(results.experiment.lab.compute))},
       {"experiment", experiment_json(results.experiment)},
       {"baseline", model_json(results.baseline)},
       {"experts", std::move(experts)},
       {"gate", model_json(results.gate)},
       {"mixture", model_json(results.mixture)},
       {"comparison", comparison_json(results)},
       {"total_seconds", results.total_seconds},
       {"peak_memory_bytes", peak_memory_bytes()}});
}

}  // namespace sluice

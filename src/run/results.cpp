#include <fmt/chrono.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "base/machine.h"
#include "formats/text/json_text.h"
#include "run/experiment_keys.h"
#include "run/run_contents.h"
#include "run/verdict_json.h"
#include "sluice/lab/run_folder.h"
#include "sluice/version.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson confusion_json(const ConfusionMatrix& matrix) {
  OrderedJson counts = OrderedJson::array();
  for (int truth = 0; truth < matrix.classes(); ++truth) {
    OrderedJson row = OrderedJson::array();
    for (int prediction = 0; prediction < matrix.classes(); ++prediction) {
      row.push_back(matrix.count(truth, prediction));
    }
    counts.push_back(std::move(row));
  }
  return {{"classes", matrix.class_names()}, {"counts", std::move(counts)}};
}

OrderedJson report_json(const ConfusionMatrix& confusion) {
  const auto row_json = [](const ClassificationReport::Row& row) -> OrderedJson {
    return {{"precision", row.precision},
            {"recall", row.recall},
            {"f1", row.f1},
            {"support", row.support}};
  };
  const ClassificationReport report = classification_report(confusion);
  OrderedJson classes = OrderedJson::object();
  for (int c = 0; c < confusion.classes(); ++c) {
    classes[confusion.class_names()[c]] = row_json(report.classes[c]);
  }
  return {{"classes", std::move(classes)},
          {"macro", row_json(report.macro)},
          {"weighted", row_json(report.weighted)}};
}

/// Images by class, and by expert in the order of "names".
OrderedJson expert_use_json(const ExpertUse& use, const ConfusionMatrix& confusion) {
  OrderedJson taken = OrderedJson::object();
  OrderedJson right = OrderedJson::object();
  for (int c = 0; c < confusion.classes(); ++c) {
    const std::string& name = confusion.class_names()[static_cast<std::size_t>(c)];
    for (std::size_t e = 0; e < use.experts.size(); ++e) {
      taken[name].push_back(std::llround(use.of(c, e).taken));
      right[name].push_back(std::llround(use.of(c, e).right));
    }
  }
  return {{"names", use.experts}, {"images", std::move(taken)}, {"right", std::move(right)}};
}

/// For each class with images the mean weights of the kernels.
OrderedJson kernel_use_json(const ExpertUse& use, const ConfusionMatrix& confusion) {
  OrderedJson classes = OrderedJson::object();
  for (int c = 0; c < confusion.classes(); ++c) {
    const auto images = static_cast<double>(confusion.support(c));
    OrderedJson& means = classes[confusion.class_names()[static_cast<std::size_t>(c)]];
    means = OrderedJson::array();
    for (std::size_t e = 0; images > 0 && e < use.experts.size(); ++e) {
      means.push_back(use.of(c, e).taken / images);
    }
  }
  return classes;
}

OrderedJson evaluation_json(const Evaluation& evaluation) {
  OrderedJson json{{"accuracy", evaluation.accuracy},
                   {"loss", evaluation.loss},
                   {"test_images", evaluation.confusion.total()},
                   {"test_images_per_second", evaluation.images_per_second},
                   {"confusion", confusion_json(evaluation.confusion)},
                   {"classification_report", report_json(evaluation.confusion)}};
  for (const ExpertUse& use : evaluation.experts) {
    if (use.mixed) {
      json["kernels"][use.layer] = kernel_use_json(use, evaluation.confusion);
    } else {
      json["experts"][use.layer] = expert_use_json(use, evaluation.confusion);
    }
  }
  return json;
}

OrderedJson model_json(const ModelResult& result) {
  OrderedJson json = cost_json(result.cost);
  json["epochs"] = result.history.epochs.size();
  if (result.history.restored_epoch > 0) json["restored_epoch"] = result.history.restored_epoch;
  json.update(effort_json(result.history));
  json["train_images_per_second"] = result.history.images_per_second;
  json.update(evaluation_json(result.test));
  json["trained_with"] = result.machines;
  if (result.latency_ms > 0) json["latency_ms"] = result.latency_ms;
  if (result.whole) json["whole_test_set"] = evaluation_json(*result.whole);
  return json;
}

OrderedJson groups_json(const std::vector<Groups::Group>& groups) {
  OrderedJson json = OrderedJson::array();
  for (const Groups::Group& group : groups) {
    json.push_back(OrderedJson{{"name", group.name}, {"classes", group.classes}});
    if (!group.also.empty()) json.back()["also"] = group.also;
  }
  return json;
}

OrderedJson machine_json(const Machine& machine) {
  return {{"cpu", machine.cpu},
          {"cores", machine.cores},
          {"threads", machine.threads},
          {"memory_bytes", machine.memory_bytes},
          {"os", machine.os}};
}

OrderedJson cluster_json(const ClusterFigures& cluster, double seconds) {
  return {{"ranks", cluster.hosts.size()},
          {"hosts", cluster.hosts},
          {"shards", cluster.shards},
          {"bytes_sent", cluster.bytes_sent},
          {"seconds_waited", cluster.seconds_waited},
          {"efficiency", 1 - cluster.seconds_waited / seconds}};
}

OrderedJson experiment_json(const Experiment& experiment) {
  const LabOptions& lab = experiment.lab;
  const Augmentation& augment = lab.augment;
  return {{"name", experiment.name},
          {"network", lab.network.name},
          {"width", lab.network.width},
          {"size", lab.network.size == CnnSize::large ? "large" : "small"},
          {"optimizer", lab.optimizer.name},
          {"learning_rate", lab.optimizer.learning_rate},
          {"weight_decay", lab.optimizer.weight_decay},
          {"schedule", lab.optimizer.schedule.name},
          {"batch_size", lab.batch_size},
          {"views", to_string(experiment.views)},
          {"epochs",
           {{"baseline", lab.epochs.baseline},
            {"experts", lab.epochs.experts},
            {"gate", lab.epochs.gate},
            {"mixture", lab.epochs.mixture}}},
          {"controls",
           {{"longer", lab.controls.longer},
            {"average", lab.controls.average},
            {"wider", lab.controls.wider}}},
          {"augment",
           {{"random_resized_crop", augment.random_resized_crop},
            {"shift", augment.shift},
            {"mirror", to_settings(experiment).mirror},
            {"brightness", augment.brightness},
            {"contrast", augment.contrast},
            {"cutout", augment.cutout},
            {"mixup", augment.mixup}}}};
}

OrderedJson controls_json(const Results& results) {
  OrderedJson json = OrderedJson::object();
  for (const Results::Control& control : results.controls) {
    json[control.name] = cost_json(control.cost);
    json[control.name].update(effort_json(control.history));
    json[control.name]["trained_with"] = control.machines;
    json[control.name]["latency_ms"] = control.latency_ms;
  }
  return json;
}

}  // namespace

History all_stages(const Results& results) {
  History all;
  for (const ModelResult* one : {&results.baseline, &results.gate, &results.mixture}) {
    all.add_cost(one->history);
  }
  for (const Results::Part& part : results.earlier) all.add_cost(part.result.history);
  for (const Results::Expert& expert : results.experts) all.add_cost(expert.result.history);
  return all;
}

int epochs_for_the_same(const Results& results) {
  const auto flops = [](const ModelResult& one) {
    return static_cast<double>(one.history.images) * one.cost.training_flops;
  };
  double all = flops(results.baseline) + flops(results.gate) + flops(results.mixture);
  for (const Results::Expert& expert : results.experts) all += flops(expert.result);
  const double epoch =
      static_cast<double>(results.train_images) * results.baseline.cost.training_flops;
  return std::max(1, static_cast<int>(std::lround(all / epoch)));
}

std::string to_json(const Results& results) {
  const Machine machine = this_machine();
  OrderedJson experts = OrderedJson::object();
  std::vector<std::string> group_names;
  for (const Results::Expert& expert : results.experts) {
    experts[expert.group] = model_json(expert.result);
    group_names.push_back(expert.group);
  }
  OrderedJson json = {
      {"format", kResultsFormat},
      {"finished_at", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))},
      {"data",
       {{"name", results.data_name},
        {"source", results.data_source},
        {"class_names", results.class_names},
        {"image_shape", results.experiment.data.shape()},
        {"train_images", results.train_images},
        {"test_images", results.test_images},
        {"left_out", results.left_out}}},
      {"groups", groups_json(results.experiment.groups)},
      {"groups_found", results.experiment.finds_groups},
      {"machine", machine_json(machine)},
      {"versions",
       {{"sluice", version()}, {"onednn", onednn_version()}, {"compiler", machine.compiler}}},
      {"seed", results.experiment.lab.seed},
      {"compute", to_string(on_this_processor(results.experiment.lab.compute))},
      {"experiment", experiment_json(results.experiment)},
      {"baseline", model_json(results.baseline)}};
  for (const Results::Part& part : results.earlier) {
    json["before"][part.name] = model_json(part.result);
    json["all_stages"] = effort_json(all_stages(results));
  }
  if (results.validation_images > 0) {
    json["data"]["validation_images"] = results.validation_images;
  }
  if (results.has_mixture()) {
    json["experts"] = std::move(experts);
    json["gate"] = model_json(results.gate);
    json["mixture"] = model_json(results.mixture);
    json["mixture_all_stages"] = effort_json(all_stages(results));
    json["controls"] = controls_json(results);
  }
  json["verdict"] = to_json(results.verdict, results.class_names, group_names);
  if (results.has_mixture()) {
    json["seconds_by_part"] = OrderedJson::object();
    for (const auto& [part, seconds] : results.part_seconds)
      json["seconds_by_part"][part] = seconds;
  }
  json["total_seconds"] = results.total_seconds;
  if (results.cluster) json["cluster"] = cluster_json(*results.cluster, results.total_seconds);
  json["peak_memory_bytes"] = peak_memory_bytes();
  return json_text(json);
}

}  // namespace sluice

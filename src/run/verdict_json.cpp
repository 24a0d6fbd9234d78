#include "run/verdict_json.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson interval_json(const Interval& interval) {
  return OrderedJson::array({interval.low, interval.high});
}

OrderedJson calibration_json(const Calibration& calibration) {
  OrderedJson bins = OrderedJson::array();
  for (const Calibration::Bin& bin : calibration.bins) {
    bins.push_back(OrderedJson::array({bin.examples, bin.confidence, bin.accuracy}));
  }
  return {{"log_loss", calibration.log_loss},
          {"ece", calibration.ece},
          {"reliability", {{"columns", {"images", "confidence", "accuracy"}}, {"bins", bins}}}};
}

OrderedJson standing_json(const Verdict::Standing& standing) {
  OrderedJson json{{"accuracy", standing.accuracy},
                   {"accuracy_95", interval_json(standing.interval)},
                   {"balanced_accuracy", standing.balance.balanced_accuracy},
                   {"macro_f1", standing.balance.macro_f1},
                   {"largest_class_share", standing.balance.largest_share}};
  json.update(calibration_json(standing.calibration));
  return json;
}

/// Returns the difference of a second classifier minus a first; "only_" counts the images that only
/// one classifies correctly.
OrderedJson difference_json(const PairedComparison& comparison, const std::string& first,
                            const std::string& second) {
  return {{"accuracy", comparison.difference},
          {"accuracy_95", interval_json(comparison.interval)},
          {"p_value", comparison.p_value},
          {"only_" + first, comparison.only_first},
          {"only_" + second, comparison.only_second}};
}

OrderedJson control_json(const Verdict::Control& control) {
  OrderedJson json{{"words", control.words}};
  json.update(standing_json(control.standing));
  json["over_baseline"] = difference_json(control.over_baseline, "baseline", control.name);
  json["mixture_over_it"] = difference_json(control.to_mixture, control.name, "mixture");
  return json;
}

OrderedJson budget_json(const ErrorBudget& budget) {
  return {{"images", budget.examples()},
          {"right", budget.right},
          {"wrong_group", budget.wrong_group},
          {"overruled", budget.overruled},
          {"wrong_class", budget.wrong_class},
          {"right_with_perfect_gate", budget.oracle},
          {"right_by_expert_or_baseline", budget.best}};
}

OrderedJson named(const std::vector<std::string>& names, const std::vector<ErrorBudget>& budgets) {
  OrderedJson json = OrderedJson::object();
  for (std::size_t i = 0; i < budgets.size(); ++i) json[names[i]] = budget_json(budgets[i]);
  return json;
}

}  // namespace

OrderedJson cost_json(const Cost& cost) {
  return {{"parameters", cost.parameters},
          {"active_parameters", cost.active_parameters},
          {"flops_per_image", cost.flops},
          {"active_flops_per_image", cost.active_flops},
          {"training_flops_per_image", cost.training_flops}};
}

OrderedJson effort_json(const History& history) {
  return {{"seconds", history.seconds},
          {"cpu_seconds", history.cpu_seconds},
          {"images_trained_on", history.images}};
}

OrderedJson to_json(const Verdict& verdict, const std::vector<std::string>& class_names,
                    const std::vector<std::string>& group_names) {
  if (group_names.empty()) {
    return {{"sentence", sentence(verdict.baseline)},
            {"baseline", standing_json(verdict.baseline)},
            {"controls", OrderedJson::object()}};
  }
  OrderedJson controls = OrderedJson::object();
  for (const Verdict::Control& control : verdict.controls) {
    controls[control.name] = control_json(control);
  }
  OrderedJson asked = OrderedJson::object();
  for (std::size_t g = 0; g < verdict.asked.size(); ++g) asked[group_names[g]] = verdict.asked[g];
  OrderedJson dead = OrderedJson::array();
  for (const int group : dead_experts(verdict)) dead.push_back(group_names[group]);
  return {{"sentence", sentence(verdict)},
          {"improved", to_string(improved(verdict))},
          {"worth_it", to_string(worth_it(verdict))},
          {"baseline", standing_json(verdict.baseline)},
          {"mixture", standing_json(verdict.mixture)},
          {"difference", difference_json(verdict.difference, "baseline", "mixture")},
          {"controls", controls},
          {"error_budget",
           {{"all", budget_json(verdict.budgets.all)},
            {"classes", named(class_names, verdict.budgets.classes)},
            {"groups", named(group_names, verdict.budgets.groups)}}},
          {"images_by_expert", asked},
          {"dead_experts", dead}};
}

}  // namespace sluice

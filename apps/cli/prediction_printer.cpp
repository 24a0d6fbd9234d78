#include "cli/prediction_printer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

#include "cli/output.h"
#include "sluice/lab/report.h"
#include "sluice/text.h"

namespace sluice::cli {

PredictionPrinter::PredictionPrinter(const Predictor& predictor, PredictionFormat format)
    : predictor_(predictor), format_(format) {}

void PredictionPrinter::print_head() const {
  if (format_ != PredictionFormat::csv) return;
  print_out("file,class,probability{}", predictor_.groups().empty() ? "" : ",group");
  for (const std::string& name : predictor_.class_names()) print_out(",{}", csv_field(name));
  print_out("\n");
}

void PredictionPrinter::print(const std::filesystem::path& file,
                              const Prediction& prediction) const {
  switch (format_) {
    case PredictionFormat::text:
      return print_text(file, prediction);
    case PredictionFormat::json:
      return print_json(file, prediction);
    case PredictionFormat::csv:
      return print_csv(file, prediction);
  }
}

/// Prints the three most probable classes.
void PredictionPrinter::print_classes(const std::string& model,
                                      std::span<const float> scores) const {
  const float sum = std::accumulate(scores.begin(), scores.end(), 0.f);
  if (!(sum > 0 && std::isfinite(sum))) {
    print_out("  {:<9} no prediction: the sum of its outputs is {}\n", model, sum);
    return;
  }
  std::vector<int> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return scores[a] > scores[b]; });
  const auto percent = [&](int c) { return 100 * scores[c]; };
  const auto name = [&](int c) { return printable(predictor_.class_names()[c]); };
  print_out("  {:<9} {:<12} {:5.1f}%", model, name(order[0]), percent(order[0]));
  for (std::size_t i = 1; i < std::min<std::size_t>(3, order.size()); ++i) {
    print_out("{}{} {:.1f}%", i == 1 ? "   then " : ", ", name(order[i]), percent(order[i]));
  }
  print_out("\n");
}

void PredictionPrinter::print_text(const std::filesystem::path& file,
                                   const Prediction& prediction) const {
  print_out("{}\n", file.string());
  print_classes(predictor_.name(), prediction.scores);
  if (const auto& route = prediction.route) {
    const std::string& group = predictor_.groups()[route->group].name;
    print_out("  {:<9} {:<12} {:5.1f}%   routed to {}\n", names::kGate, group,
              100 * route->gate[route->group], names::expert(group));
  }
  if (!prediction.frozen.empty()) print_classes(names::kBaseline, prediction.frozen);
}

void PredictionPrinter::print_json(const std::filesystem::path& file,
                                   const Prediction& prediction) const {
  using Json = nlohmann::ordered_json;
  const auto by_class = [&](std::span<const float> scores) {
    Json json = Json::object();
    for (std::size_t c = 0; c < scores.size(); ++c) json[predictor_.class_names()[c]] = scores[c];
    return json;
  };
  Json json{
      {"file", file.string()},
      {"model", predictor_.name()},
      {"class", prediction.best < 0 ? Json() : Json(predictor_.class_names()[prediction.best])},
      {"probabilities", by_class(prediction.scores)}};
  if (const auto& route = prediction.route) {
    json["group"] = predictor_.groups()[route->group].name;
    for (std::size_t g = 0; g < route->gate.size(); ++g) {
      json["gate"][predictor_.groups()[g].name] = route->gate[g];
    }
  }
  if (!prediction.frozen.empty()) json["baseline"] = by_class(prediction.frozen);
  // A name may have bytes that are not UTF-8.
  print_out("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void PredictionPrinter::print_csv(const std::filesystem::path& file,
                                  const Prediction& prediction) const {
  const bool answered = prediction.best >= 0;
  print_out("{},{},{}", csv_field(file.string()),
            answered ? csv_field(predictor_.class_names()[prediction.best]) : "",
            answered ? fmt::format("{}", prediction.scores[prediction.best]) : "");
  if (prediction.route) {
    print_out(",{}", csv_field(predictor_.groups()[prediction.route->group].name));
  }
  for (const float score : prediction.scores) print_out(",{}", score);
  print_out("\n");
}

}  // namespace sluice::cli

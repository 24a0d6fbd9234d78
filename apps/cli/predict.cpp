#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cli/fail.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/picture_files.h"
#include "cli/timer.h"
#include "cli/verbs.h"
#include "sluice/files.h"
#include "sluice/lab/report.h"
#include "sluice/predictor.h"
#include "sluice/process.h"
#include "sluice/text.h"

namespace sluice::cli {

namespace {

namespace fs = std::filesystem;

struct PredictOptions {
  std::string run;
  std::vector<std::string> images;
  std::string list;
  bool json = false;
  bool csv = false;
};

// Batches start small, so that the first output comes soon, and grow while they are fast.
constexpr std::size_t kFirstBatch = 8;
constexpr std::size_t kLargestBatch = 256;
constexpr double kQuickSeconds = 0.25;

/// Prints the three most probable classes.
void print_classes(const std::string& model, std::span<const float> scores,
                   const std::vector<std::string>& class_names) {
  const float sum = std::accumulate(scores.begin(), scores.end(), 0.f);
  if (!(sum > 0 && std::isfinite(sum))) {
    print_out("  {:<9} no prediction: the sum of its outputs is {}\n", model, sum);
    return;
  }
  std::vector<int> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return scores[a] > scores[b]; });
  const auto percent = [&](int c) { return 100 * scores[c]; };
  const auto name = [&](int c) { return printable(class_names[c]); };
  print_out("  {:<9} {:<12} {:5.1f}%", model, name(order[0]), percent(order[0]));
  for (std::size_t i = 1; i < std::min<std::size_t>(3, order.size()); ++i) {
    print_out("{}{} {:.1f}%", i == 1 ? "   then " : ", ", name(order[i]), percent(order[i]));
  }
  print_out("\n");
}

void print_answers(const Predictor& predictor, const Prediction& prediction) {
  print_classes(predictor.name(), prediction.scores, predictor.class_names());
  if (const auto& route = prediction.route) {
    const std::string& group = predictor.groups()[route->group].name;
    print_out("  {:<9} {:<12} {:5.1f}%   routed to {}\n", names::kGate, group,
              100 * route->gate[route->group], names::expert(group));
  }
  if (!prediction.frozen.empty()) {
    print_classes(names::kBaseline, prediction.frozen, predictor.class_names());
  }
}

/// Prints the answers for a picture as one line of JSON.
void print_json(const Predictor& predictor, const std::filesystem::path& file,
                const Prediction& prediction) {
  using Json = nlohmann::ordered_json;
  const auto by_class = [&](std::span<const float> scores) {
    Json json = Json::object();
    for (std::size_t c = 0; c < scores.size(); ++c) json[predictor.class_names()[c]] = scores[c];
    return json;
  };
  Json json{
      {"file", file.string()},
      {"model", predictor.name()},
      {"class", prediction.best < 0 ? Json() : Json(predictor.class_names()[prediction.best])},
      {"probabilities", by_class(prediction.scores)}};
  if (const auto& route = prediction.route) {
    json["group"] = predictor.groups()[route->group].name;
    for (std::size_t g = 0; g < route->gate.size(); ++g) {
      json["gate"][predictor.groups()[g].name] = route->gate[g];
    }
  }
  if (!prediction.frozen.empty()) json["baseline"] = by_class(prediction.frozen);
  // A name may have bytes that are not UTF-8.
  print_out("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

/// A field of a table. A name that a spreadsheet would read as a formula gets a ' before it.
std::string csv_field(const std::string& text) {
  std::string field = !text.empty() && std::string_view("=+-@").find(text[0]) != std::string::npos
                          ? "'" + text
                          : text;
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  for (std::size_t at = 0; (at = field.find('"', at)) != std::string::npos; at += 2) {
    field.insert(at, 1, '"');
  }
  return '"' + field + '"';
}

void print_csv_head(const Predictor& predictor) {
  print_out("file,class,probability{}", predictor.groups().empty() ? "" : ",group");
  for (const std::string& name : predictor.class_names()) print_out(",{}", csv_field(name));
  print_out("\n");
}

void print_csv(const Predictor& predictor, const std::filesystem::path& file,
               const Prediction& prediction) {
  const bool answered = prediction.best >= 0;
  print_out("{},{},{}", csv_field(file.string()),
            answered ? csv_field(predictor.class_names()[prediction.best]) : "",
            answered ? fmt::format("{}", prediction.scores[prediction.best]) : "");
  if (prediction.route) {
    print_out(",{}", csv_field(predictor.groups()[prediction.route->group].name));
  }
  for (const float score : prediction.scores) print_out(",{}", score);
  print_out("\n");
}

/// Predicts pictures. Continues after one that cannot be read; throws Error with their number at
/// the end.
void predict(const PredictOptions& options) {
  if (options.json && options.csv) throw user_error("predict", "choose --json or --csv");
  std::vector<std::string> named = options.images;
  if (!options.list.empty()) {
    const std::vector<std::string> listed = listed_files(options.list);
    named.insert(named.end(), listed.begin(), listed.end());
  }
  if (named.empty()) throw user_error("predict", "name pictures or folders, or a file of --list");
  const std::vector<fs::path> files = picture_files(named);
  const Predictor predictor(options.run,
                            {.batch = static_cast<int>(std::min(files.size(), kLargestBatch))});
  if (options.csv) print_csv_head(predictor);
  std::vector<Error> faults;
  std::size_t batch = kFirstBatch;
  for (std::size_t first = 0; first < files.size();) {
    const Timer timer;
    const std::size_t count = std::min(batch, files.size() - first);
    const std::span batch_files = std::span(files).subspan(first, count);
    const std::vector<Predictor::OfFile> answers = predictor.predict_files(batch_files);
    check_interrupt();
    for (std::size_t i = 0; i < count; ++i) {
      if (answers[i].fault) continue;
      if (options.json) {
        print_json(predictor, batch_files[i], answers[i].prediction);
        continue;
      }
      if (options.csv) {
        print_csv(predictor, batch_files[i], answers[i].prediction);
        continue;
      }
      print_out("{}\n", batch_files[i].string());
      print_answers(predictor, answers[i].prediction);
    }
    flush_out();
    require_output();
    for (const Predictor::OfFile& answer : answers) {
      if (!answer.fault) continue;
      if (files.size() == 1) throw Error(*answer.fault);
      complain(answer.fault->what());
      faults.push_back(*answer.fault);
    }
    first += count;
    if (timer.seconds() < kQuickSeconds) batch = std::min(2 * batch, kLargestBatch);
  }
  if (faults.empty()) return;
  const bool machine = std::ranges::any_of(
      faults, [](const Error& error) { return error.fault() == Fault::machine; });
  throw Error(machine ? Fault::machine : Fault::user, "predict",
              fmt::format("{} of {} pictures could not be read", faults.size(), files.size()));
}

}  // namespace

void add_predict(CLI::App& app) {
  auto* verb = app.add_subcommand("predict", "Predict the classes of pictures, with their experts");
  verb->footer(R"(Prints for each picture the mixture's classes with their probabilities, the
gate's group with its probability, and the frozen baseline's classes. For the
file of one model it prints that model's output. It reports pictures that cannot
be read, continues with the others, and ends with exit code 2.

--json prints an object on a line of its own for each picture: file, model,
class, probabilities, and of a mixture group, gate and baseline. --csv prints
file, class, its probability, of a mixture group, and all probabilities.

Examples:
  sluice predict runs/lab cat.jpg
  sluice predict runs/lab pictures --json > answers.jsonl
  find . -name '*.jpg' | sluice predict runs/lab --list - --csv > answers.csv
  sluice predict runs/lab samples
  sluice predict runs/lab/mixture/model.safetensors cat.jpg)");
  const auto options = std::make_shared<PredictOptions>();
  verb->add_option("RUN", options->run, "Folder of a run, or one model.safetensors")->required();
  verb->add_option("IMAGE", options->images,
                   "Pictures of any size (JPEG, PNG, WebP, BMP, GIF,\n"
                   "TIFF), or folders with such files at any depth");
  verb->add_flag("--json", options->json, "Print a line of JSON for each picture");
  verb->add_flag("--csv", options->csv, "Print a table of comma-separated values");
  verb->add_option("--list", options->list,
                   "File with a picture or folder on each line; - is\nstandard input")
      ->type_name("FILE");
  verb->callback([options] { predict(*options); });
}

}  // namespace sluice::cli

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "cli/fail.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/picture_files.h"
#include "cli/prediction_printer.h"
#include "cli/timer.h"
#include "cli/verbs.h"
#include "sluice/predictor.h"
#include "sluice/process.h"

namespace sluice::cli {

namespace {

namespace fs = std::filesystem;

struct PredictOptions {
  std::string run;
  std::vector<std::string> images;
  std::string list;
  bool json = false;
  bool csv = false;
  Routing routing;
};

// Batches start small, so that the first output comes soon, and grow while they are fast.
constexpr std::size_t kFirstBatch = 8;
constexpr std::size_t kLargestBatch = 256;
constexpr double kQuickSeconds = 0.25;

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
                            {.batch = static_cast<int>(std::min(files.size(), kLargestBatch)),
                             .routing = options.routing});
  const PredictionPrinter printer(predictor, options.json  ? PredictionFormat::json
                                             : options.csv ? PredictionFormat::csv
                                                           : PredictionFormat::text);
  printer.print_head();
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
      printer.print(batch_files[i], answers[i].prediction);
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
  sluice predict runs/cascade cat.jpg --share 0.1
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
  add_routing_options(*verb, options->routing);
  verb->callback([options] { predict(*options); });
}

}  // namespace sluice::cli

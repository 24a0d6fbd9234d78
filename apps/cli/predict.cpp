#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <optional>

#include "cli/fail.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/picture_files.h"
#include "cli/timer.h"
#include "cli/verbs.h"
#include "data/read_images.h"
#include "sluice/files.h"
#include "sluice/lab/report.h"
#include "sluice/process.h"
#include "sluice/text.h"

namespace sluice::cli {

namespace {

namespace fs = std::filesystem;

struct PredictOptions {
  std::string run;
  std::vector<std::string> images;
};

// The first batches are small, so that an answer is soon there; they grow as long as they are
// quick.
constexpr std::size_t kFirstBatch = 8;
constexpr std::size_t kLargestBatch = 256;
constexpr double kQuickSeconds = 0.25;

/// The three most probable; a mixture's output is divided by its sum, as its loss does.
void print_classes(const std::string& model, std::span<const float> outputs,
                   const std::vector<std::string>& class_names) {
  const float sum = std::accumulate(outputs.begin(), outputs.end(), 0.f);
  if (!(sum > 0 && std::isfinite(sum))) {
    print_out("  {:<9} no answer: its outputs have the sum {}\n", model, sum);
    return;
  }
  std::vector<int> order(outputs.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return outputs[a] > outputs[b]; });
  const auto percent = [&](int c) { return 100 * outputs[c] / sum; };
  const auto name = [&](int c) { return printable(class_names[c]); };
  print_out("  {:<9} {:<12} {:5.1f}%", model, name(order[0]), percent(order[0]));
  for (std::size_t i = 1; i < std::min<std::size_t>(3, order.size()); ++i) {
    print_out("{}{} {:.1f}%", i == 1 ? "   then " : ", ", name(order[i]), percent(order[i]));
  }
  print_out("\n");
}

/// A network or a mixture, and what it says of a batch of pictures.
template <class Saved>
class Answerer {
 public:
  Answerer(Saved saved, int batch)
      : saved_(std::move(saved)),
        compiled_(compile_for_inference(saved_.model, saved_.weights, {.batch = batch})),
        shape_(compiled_->input_shape()) {
    require_picture_input(shape_, name());
  }

  void begin(std::size_t pictures) {
    images_.assign(pictures * static_cast<std::size_t>(element_count(shape_)), 0.f);
  }

  /// Resized, and divided by 255. May be called from several threads, each for another row.
  void take(std::size_t row, const Image& image) {
    const Image fitting = resized(image, static_cast<int>(shape_[0]), static_cast<int>(shape_[1]));
    std::ranges::transform(fitting.pixels, images_.begin() + row * fitting.pixels.size(),
                           [](std::uint8_t pixel) { return static_cast<float>(pixel) / 255.f; });
  }

  void answer(std::size_t pictures) {
    outputs_ = compiled_->predict(images_, static_cast<int>(pictures));
  }

  void print(std::size_t row) const {
    print_classes(name(), row_of(outputs_, row, saved_.class_names.size()), saved_.class_names);
    if constexpr (kIsMixture) print_gate(row);
  }

 private:
  static constexpr bool kIsMixture = std::is_same_v<Saved, SavedMixture>;

  static std::span<const float> row_of(std::span<const float> all, std::size_t row,
                                       std::size_t width) {
    return all.subspan(row * width, width);
  }

  std::string name() const {
    if constexpr (kIsMixture) {
      return "mixture";
    } else {
      return saved_.model.name;
    }
  }

  void print_gate(std::size_t row) const {
    const std::span<const float> gate = row_of(compiled_->gate(), row, saved_.groups.size());
    const int chosen = chosen_group(gate);
    const std::string& group = saved_.groups[chosen].name;
    print_out("  gate      {:<12} {:5.1f}%   asked expert-{}\n", group, 100 * gate[chosen], group);
  }

  Saved saved_;
  std::unique_ptr<CompiledModel> compiled_;
  Shape shape_;
  std::vector<float> images_;
  std::span<const float> outputs_;
};

/// What a run, or a model's file, has to say of pictures.
class Predictor {
 public:
  /// Of at most so many pictures at a time.
  Predictor(const std::string& path, int batch) : batch_(batch) {
    std::error_code ignored;
    if (fs::exists(path, ignored) && !is_folder(path)) {
      std::visit([&](auto saved) { add(std::move(saved)); }, read_model(path));
      return;
    }
    const RunFolder run = RunFolder::open(path);
    if (run.has_model("mixture")) add(run.read_mixture());
    if (run.has_model("baseline")) add(run.read_model("baseline"));
    if (mixture_ || network_) return;
    const std::vector<std::string> models = run.models();
    if (models.empty()) throw user_error("predict", "{} has no trained model yet", one_line(path));
    throw user_error("predict",
                     "{} has neither a mixture nor a baseline: ask one of its models, such as {}",
                     one_line(path), path_text(run.path() / models[0] / "model.safetensors"));
  }

  /// Prints the answers in the order of the files, and gives back the error of each that could not
  /// be read.
  std::vector<Error> predict(std::span<const fs::path> files) {
    each_model([&](auto& model) { model.begin(files.size()); });
    const auto take = [&](std::size_t row, const Image& image) {
      each_model([&](auto& model) { model.take(row, image); });
    };
    const std::vector<std::optional<Error>> faults = read_images(files, take, interrupted);
    check_interrupt();
    // A picture that could not be read is among them as a black one, and not printed.
    each_model([&](auto& model) { model.answer(files.size()); });
    std::vector<Error> all;
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (faults[i]) {
        all.push_back(*faults[i]);
        continue;
      }
      print_out("{}\n", files[i].string());
      each_model([&](auto& model) { model.print(i); });
    }
    return all;
  }

 private:
  void add(SavedMixture saved) { mixture_.emplace(std::move(saved), batch_); }
  void add(SavedModel saved) { network_.emplace(std::move(saved), batch_); }

  template <class Call>
  void each_model(const Call& call) {
    if (mixture_) call(*mixture_);
    if (network_) call(*network_);
  }

  int batch_;
  std::optional<Answerer<SavedMixture>> mixture_;
  std::optional<Answerer<SavedModel>> network_;
};

/// Goes on after a picture that cannot be read; at the end Error tells how many there were.
void predict(const PredictOptions& options) {
  const std::vector<fs::path> files = picture_files(options.images);
  Predictor predictor(options.run, static_cast<int>(std::min(files.size(), kLargestBatch)));
  std::vector<Error> faults;
  std::size_t batch = kFirstBatch;
  for (std::size_t first = 0; first < files.size();) {
    const Timer timer;
    const std::size_t count = std::min(batch, files.size() - first);
    const std::vector<Error> failed = predictor.predict(std::span(files).subspan(first, count));
    flush_out();
    require_output();
    if (files.size() == 1 && !failed.empty()) throw Error(failed[0]);
    for (const Error& error : failed) complain(error.what());
    faults.insert(faults.end(), failed.begin(), failed.end());
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
  auto* verb = app.add_subcommand("predict", "Say what is on pictures, and which expert was asked");
  verb->footer(R"(Prints for each picture the mixture's classes with their probabilities, the
group that the gate chose and how sure it was, and the frozen baseline's answer.
One model's file answers for itself alone; it may lie anywhere. A picture that
cannot be read is told, and the others are answered; the exit code is then 2.

Examples:
  sluice predict runs/lab cat.jpg
  sluice predict runs/lab samples
  sluice predict runs/lab/mixture/model.safetensors cat.jpg)");
  const auto options = std::make_shared<PredictOptions>();
  verb->add_option("RUN", options->run, "Folder of a run, or one model.safetensors")->required();
  verb->add_option("IMAGE", options->images,
                   "PNG or JPEG files of any size, or folders with\n"
                   "such, at any depth")
      ->required();
  verb->callback([options] { predict(*options); });
}

}  // namespace sluice::cli

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <optional>

#include "base/text.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "sluice/error.h"
#include "sluice/report.h"

namespace sluice::cli {

namespace {

struct PredictOptions {
  std::string run;
  std::vector<std::string> images;
};

constexpr CompileOptions kOne{.batch = 1, .training = false};

/// A picture as a model takes it: resized, and divided by 255.
std::vector<float> input_of(const Image& image, const Shape& shape) {
  const Image fitting = resized(image, static_cast<int>(shape[0]), static_cast<int>(shape[1]));
  std::vector<float> pixels(fitting.pixels.size());
  std::transform(fitting.pixels.begin(), fitting.pixels.end(), pixels.begin(),
                 [](std::uint8_t pixel) { return static_cast<float>(pixel) / 255.f; });
  return pixels;
}

/// The three most probable; a mixture's output is divided by its sum, as its loss does.
void print_classes(const std::string& model, std::span<const float> outputs,
                   const std::vector<std::string>& class_names) {
  const float sum = std::accumulate(outputs.begin(), outputs.end(), 0.f);
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

/// A network and a mixture that answer for one picture.
class NetworkPredictor {
 public:
  explicit NetworkPredictor(SavedModel saved)
      : saved_(std::move(saved)), compiled_(compile(saved_.model, saved_.weights, kOne)) {
    require_picture_input(saved_.model.input, saved_.model.name);
  }

  void predict(const Image& image) {
    print_classes(saved_.model.name,
                  compiled_->predict(input_of(image, compiled_->input_shape()), 1),
                  saved_.class_names);
  }

 private:
  SavedModel saved_;
  std::unique_ptr<CompiledModel> compiled_;
};

class MixturePredictor {
 public:
  explicit MixturePredictor(SavedMixture saved)
      : saved_(std::move(saved)),
        mixture_(compile(saved_.model, saved_.weights, kOne)),
        gate_(compile(saved_.model.gate, saved_.weights.gate, kOne)) {
    require_picture_input(saved_.model.baseline.input, "mixture");
  }

  void predict(const Image& image) {
    const std::vector<float> pixels = input_of(image, mixture_->input_shape());
    print_classes("mixture", mixture_->predict(pixels, 1), saved_.class_names);
    const std::span<const float> gate = gate_->predict(pixels, 1);
    const int chosen = chosen_group(gate);
    const std::string& group = saved_.groups[chosen].name;
    print_out("  gate      {:<12} {:5.1f}%   asked expert-{}\n", group, 100 * gate[chosen], group);
  }

 private:
  SavedMixture saved_;
  std::unique_ptr<CompiledModel> mixture_;
  std::unique_ptr<CompiledModel> gate_;
};

/// What a run, or a model's file, has to say of pictures.
class Predictor {
 public:
  explicit Predictor(const std::string& path) {
    if (std::filesystem::is_regular_file(path)) {
      std::visit([&](auto saved) { add(std::move(saved)); }, read_model(path));
      return;
    }
    const RunFolder run = RunFolder::open(path);
    const bool alone = !run.has_model("mixture") && run.has_model("baseline");
    if (!alone) add(run.read_mixture());
    if (run.has_model("baseline")) add(run.read_model("baseline"));
  }

  void predict(const std::string& file) {
    const Image image = read_image(file);
    print_out("{}\n", file);
    if (mixture_) mixture_->predict(image);
    if (network_) network_->predict(image);
  }

 private:
  void add(SavedMixture saved) { mixture_.emplace(std::move(saved)); }
  void add(SavedModel saved) { network_.emplace(std::move(saved)); }

  std::optional<MixturePredictor> mixture_;
  std::optional<NetworkPredictor> network_;
};

}  // namespace

void add_predict(CLI::App& app) {
  auto* verb =
      app.add_subcommand("predict", "Say what is on a picture, and which expert was asked");
  verb->footer(R"(Prints for each picture the mixture's classes with their probabilities, the
group that the gate chose and how sure it was, and the frozen baseline's answer.
One model's file answers for itself alone; it may lie anywhere.

Examples:
  sluice predict runs/lab cat.jpg
  sluice predict runs/lab samples/*/*.png
  sluice predict runs/lab/mixture/model.safetensors cat.jpg)");
  const auto options = std::make_shared<PredictOptions>();
  verb->add_option("RUN", options->run, "Folder of a run, or one model.safetensors")->required();
  verb->add_option("IMAGE", options->images, "PNG or JPEG files of any size")->required();
  verb->callback([options] {
    Predictor predictor(options->run);
    for (const std::string& image : options->images) predictor.predict(image);
  });
}

}  // namespace sluice::cli

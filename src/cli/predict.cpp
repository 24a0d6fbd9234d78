#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "cli/options.h"
#include "cli/verbs.h"
#include "sluice/report.h"

namespace sluice::cli {

namespace {

struct PredictOptions {
  std::string run;
  std::vector<std::string> images;
};

/// Everything of a run that answers for one picture.
class Predictor {
 public:
  explicit Predictor(const RunFolder& folder)
      : model_(declare(folder.read_experiment())),
        mixture_weights_(folder.read_weights(model_)),
        baseline_weights_(folder.read_weights("baseline", model_.baseline)),
        mixture_(compile(model_, mixture_weights_.weights, kOne)),
        gate_(compile(model_.gate, mixture_weights_.weights.gate, kOne)),
        baseline_(compile(model_.baseline, baseline_weights_.weights, kOne)) {}

  void predict(const std::string& file) {
    const Shape& shape = mixture_->input_shape();
    const Image image =
        resized(read_image(file), static_cast<int>(shape[0]), static_cast<int>(shape[1]));
    std::vector<float> pixels(image.pixels.size());
    std::transform(image.pixels.begin(), image.pixels.end(), pixels.begin(),
                   [](std::uint8_t pixel) { return static_cast<float>(pixel) / 255.f; });
    const std::span<const float> gate = gate_->predict(pixels, 1);
    const int chosen = chosen_group(gate);
    const std::string& group = model_.branches[chosen].group;
    fmt::print("{}\n", file);
    print_classes("mixture", mixture_->predict(pixels, 1));
    fmt::print("  gate      {:<12} {:5.1f}%   asked expert-{}\n", group, 100 * gate[chosen], group);
    print_classes("baseline", baseline_->predict(pixels, 1));
  }

 private:
  static constexpr CompileOptions kOne{.batch = 1, .training = false};

  const std::string& class_name(int label) const { return mixture_weights_.class_names[label]; }

  /// The three most probable; the mixture's output is divided by its sum, as its loss does.
  void print_classes(const char* model, std::span<const float> outputs) const {
    const float sum = std::accumulate(outputs.begin(), outputs.end(), 0.f);
    std::vector<int> order(outputs.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return outputs[a] > outputs[b]; });
    const auto percent = [&](int c) { return 100 * outputs[c] / sum; };
    fmt::print("  {:<9} {:<12} {:5.1f}%", model, class_name(order[0]), percent(order[0]));
    for (std::size_t i = 1; i < std::min<std::size_t>(3, order.size()); ++i) {
      fmt::print("{}{} {:.1f}%", i == 1 ? "   then " : ", ", class_name(order[i]),
                 percent(order[i]));
    }
    fmt::print("\n");
  }

  Mixture model_;
  RunFolder::LoadedMixture mixture_weights_;
  RunFolder::LoadedWeights baseline_weights_;
  std::unique_ptr<CompiledModel> mixture_;
  std::unique_ptr<CompiledModel> gate_;
  std::unique_ptr<CompiledModel> baseline_;
};

}  // namespace

void add_predict(CLI::App& app) {
  auto* verb =
      app.add_subcommand("predict", "Say what is on a picture, and which expert was asked");
  verb->footer(R"(Prints for each picture the mixture's classes with their probabilities, the
group that the gate chose and how sure it was, and the frozen baseline's answer.

Examples:
  sluice predict runs/lab cat.jpg
  sluice predict runs/lab samples/*/*.png)");
  const auto options = std::make_shared<PredictOptions>();
  add_run(*verb, options->run);
  verb->add_option("IMAGE", options->images, "PNG or JPEG files of any size")->required();
  verb->callback([options] {
    Predictor predictor(RunFolder::open(options->run));
    for (const std::string& image : options->images) predictor.predict(image);
  });
}

}  // namespace sluice::cli

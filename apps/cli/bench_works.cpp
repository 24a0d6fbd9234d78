#include "cli/bench_works.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "cli/timer.h"
#include "sluice/process.h"
#include "sluice/trainer.h"

namespace sluice::cli {

namespace {

constexpr int kClasses = 10;
constexpr int kImages = 2048;
constexpr std::uint64_t kSeed = 1;

Shape image_of(const Work& work) {
  return {work.image_size, work.image_size, 3};
}

LabelledImages random_images(const Shape& image, int count) {
  std::mt19937 random(kSeed);
  LabelledImages images{image, {}, {}};
  images.pixels.resize(count * static_cast<std::size_t>(element_count(image)));
  for (std::uint8_t& pixel : images.pixels) pixel = static_cast<std::uint8_t>(random());
  for (int i = 0; i < count; ++i) images.labels.push_back(i % kClasses);
  return images;
}

std::vector<float> scaled(const LabelledImages& images) {
  std::vector<float> values(images.pixels.size());
  std::ranges::transform(images.pixels, values.begin(),
                         [](std::uint8_t pixel) { return pixel / 255.f; });
  return values;
}

/// Measures the time of steps after a warm-up, and decides when to stop.
class Stopwatch {
 public:
  Stopwatch(CompiledModel& model, double seconds) : model_(model), least_(seconds) {}

  /// Called after every step; returns false to stop.
  bool step() {
    check_interrupt();
    ++steps_;
    const double now = timer_.seconds();
    if (warm_) {
      times_.push_back(now - last_);
    } else if (steps_ >= 10 || (steps_ >= 2 && now >= 3)) {
      warm_ = true;
      model_.start_profile();
    }
    last_ = now;
    return std::accumulate(times_.begin(), times_.end(), 0.0) < least_;
  }

  WorkResult result(const Work& work) {
    WorkResult result{work};
    result.steps = static_cast<std::int64_t>(times_.size());
    result.seconds = std::accumulate(times_.begin(), times_.end(), 0.0);
    result.images_per_second = work.batch * double(times_.size()) / result.seconds;
    std::nth_element(times_.begin(), times_.begin() + times_.size() / 2, times_.end());
    result.median_ms = 1000 * times_[times_.size() / 2];
    result.profile = model_.profile();
    return result;
  }

 private:
  CompiledModel& model_;
  double least_;
  Timer timer_;
  double last_ = 0;
  std::int64_t steps_ = 0;
  bool warm_ = false;  ///< after 10 steps, or 3 seconds and 2 steps
  std::vector<double> times_;
};

/// Measures complete steps of fit(): batches, forward, loss, backward, Adam.
WorkResult measure_training(CompiledModel& model, const Work& work, double seconds) {
  struct Enough {};
  struct Observer : FitObserver {
    explicit Observer(Stopwatch& watch) : stopwatch(watch) {}
    void on_step(const Progress&) override {
      if (!stopwatch.step()) throw Enough{};
    }
    Stopwatch& stopwatch;
  };
  const LabelledImages images = random_images(image_of(work), kImages);
  const LabelledImages one = random_images(image_of(work), 1);  // validation is not measured
  const std::vector<std::string> class_names(kClasses, "class");
  Stopwatch stopwatch(model, seconds);
  Observer observer(stopwatch);
  try {
    fit(model, {images, class_names}, {one, class_names},
        {.epochs = std::numeric_limits<int>::max(), .batch_size = work.batch}, observer);
  } catch (const Enough&) {
  }
  return stopwatch.result(work);
}

WorkResult measure_inference(CompiledModel& model, const Work& work, double seconds) {
  const std::vector<float> batch = scaled(random_images(image_of(work), work.batch));
  Stopwatch stopwatch(model, seconds);
  do {
    model.predict(batch, work.batch);
  } while (stopwatch.step());
  return stopwatch.result(work);
}

/// Changes the gate's output bias so that half of the images go to each group; initial weights send
/// nearly all to one.
void balance(const Sequential& gate, Weights& weights) {
  constexpr int kSome = 256;
  const std::vector<float> batch = scaled(random_images(gate.input, kSome));
  const auto compiled = compile_for_inference(gate, weights, {.batch = kSome});
  const std::span<const float> outputs = compiled->predict(batch, kSome);
  std::vector<float> differences;
  for (int i = 0; i < kSome; ++i)
    differences.push_back(std::log(outputs[2 * i + 1] / outputs[2 * i]));
  std::nth_element(differences.begin(), differences.begin() + kSome / 2, differences.end());
  weights.values().end()[-1] -= differences[kSome / 2];
}

}  // namespace

double WorkResult::gflops() const {
  double operations = 0;
  for (const LayerProfile& layer : profile) operations += layer.operations();
  return operations / seconds / 1e9;
}

WorkResult measure(const Work& work, Compute compute, double seconds) {
  const CompileOptions options{work.batch, compute};
  const Shape image = image_of(work);
  if (work.name == "train" || work.network) {
    const Sequential model =
        network("cnn", image, kClasses, work.network.value_or(NetworkChoice{}));
    Weights weights(model);
    weights.initialize(kSeed, 0);
    return work.name == "train"
               ? measure_training(*compile(model, weights, options), work, seconds)
               : measure_inference(*compile_for_inference(model, weights, options), work, seconds);
  }
  const Groups groups({{"a", {"0", "1", "2", "3"}}, {"b", {"4", "5", "6", "7", "8", "9"}}},
                      {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, "bench");
  const Mixture model = mixture(groups, image, kClasses, {});
  MixtureWeights weights(model);
  std::uint32_t stream = 0;
  for (Weights* part : weights.parts()) part->initialize(kSeed, stream++);
  balance(model.gate, weights.gate);
  return work.name == "inference"
             ? measure_inference(*compile_for_inference(model, weights, options), work, seconds)
             : measure_training(*compile(model, weights, options), work, seconds);
}

}  // namespace sluice::cli

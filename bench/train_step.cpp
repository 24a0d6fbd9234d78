// Images a second of training the small CNN on ten classes, the whole step as a user's run has it:
// batch preparation, forward, loss, backward, Adam. bench/train_step_vs_pytorch runs it beside
// PyTorch.
//
//   bench_train_step [BATCH [SECONDS]]

#include <fmt/format.h>

#include <cstdlib>

#include "sluice/model.h"
#include "sluice/trainer.h"

namespace {

struct Stop {};

/// Counts the images of the steps after the first ten, which warm caches and threads up.
class Stopwatch : public sluice::FitObserver {
 public:
  Stopwatch(int batch, double seconds) : batch_(batch), seconds_(seconds) {}

  void on_step(const sluice::Progress& progress) override {
    constexpr int kWarmUp = 10;
    if (progress.step == kWarmUp) start_ = progress.seconds;
    if (progress.step <= kWarmUp || progress.seconds - start_ < seconds_) return;
    rate_ = (progress.step - kWarmUp) * batch_ / (progress.seconds - start_);
    throw Stop{};
  }

  double rate() const { return rate_; }

 private:
  int batch_;
  double seconds_;
  double start_ = 0;
  double rate_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const int batch = argc > 1 ? std::atoi(argv[1]) : 32;
  const double seconds = argc > 2 ? std::atof(argv[2]) : 5;

  // Random pixels: what a step costs does not depend on them.
  sluice::LabelledImages images;
  std::uint32_t state = 1;
  for (int i = 0; i < 50000; ++i) images.labels.push_back(i % 10);
  images.pixels.resize(images.labels.size() * 32 * 32 * 3);
  for (std::uint8_t& pixel : images.pixels) {
    pixel = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  }
  const sluice::Examples train(images, std::vector<std::string>(10, "class"));

  const sluice::Sequential model = sluice::cnn("cnn", {32, 32, 3}, 10, sluice::CnnSize::small);
  sluice::Weights weights(model);
  weights.initialize(0, 0);
  const auto compiled = sluice::compile(model, weights, {batch});
  Stopwatch stopwatch(batch, seconds);
  try {
    sluice::fit(*compiled, train, train, {.epochs = 100, .batch_size = batch}, stopwatch);
  } catch (const Stop&) {
  }
  fmt::print("{:.1f}\n", stopwatch.rate());
}

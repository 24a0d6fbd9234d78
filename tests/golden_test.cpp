// Compares with results of real Keras that `tools/parity/live --golden` saved: the same check as
// the live one, without Keras, on the built-in images and a sample of each tensor.

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tools/parity/scenario.h"

namespace sluice::parity {
namespace {

using nlohmann::json;

// Bounds of tools/parity/live.py; docs/fidelity.md has the reasons.
constexpr double kOutputs = 1e-5;
constexpr double kLoss = 1e-6;
constexpr double kGradients = 1e-4;
constexpr double kWeights = 1e-3;
constexpr double kFitLoss = 1e-5;

const std::filesystem::path kFolder = SLUICE_SOURCE_DIR "/tests/golden";

std::vector<std::string> cases() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(kFolder)) {
    names.push_back(file.path().stem());
  }
  std::ranges::sort(names);
  return names;
}

void expect_near(double actual, double expected, double largest, double bound,
                 const std::string& what) {
  EXPECT_LE(std::abs(actual - expected), bound * (largest > 0 ? largest : 1)) << what;
}

void expect_tensors(const Tensors& actual, const json& expected, double bound,
                    const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  for (const auto& [name, values] : actual) {
    ASSERT_TRUE(expected.contains(name)) << what << " of " << name;
    const json& golden = expected[name];
    double squares = 0;
    for (const float value : values) squares += double(value) * value;
    const double norm = golden["norm"];
    expect_near(std::sqrt(squares), norm, norm, bound, what + ", norm of " + name);
    const std::vector<double> sample = golden["sample"];
    for (std::size_t i = 0; i < sample.size(); ++i) {
      const std::size_t place = (2 * i + 1) * values.size() / (2 * sample.size());
      expect_near(values[place], sample[i], golden["largest"], bound, what + " of " + name);
    }
  }
}

void expect_history(const History& actual, const json& expected) {
  ASSERT_EQ(actual.epochs.size(), expected.size());
  for (std::size_t e = 0; e < expected.size(); ++e) {
    const Epoch& epoch = actual.epochs[e];
    const std::vector<double> golden = expected[e];
    expect_near(epoch.loss, golden[0], golden[0], kFitLoss, "loss");
    expect_near(epoch.accuracy, golden[1], 1, 1e-6, "accuracy");
    expect_near(epoch.val_loss, golden[2], golden[2], kFitLoss, "val_loss");
    expect_near(epoch.val_accuracy, golden[3], 1, 1e-6, "val_accuracy");
  }
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, IsWhatKerasComputes) {
  const json golden = json::parse(std::ifstream(kFolder / (GetParam() + ".json")));
  Scenario scenario(golden["model"], golden["dropout"], "builtin");
  const Step step = scenario.first_step();
  const std::vector<double> outputs = golden["outputs"];
  ASSERT_EQ(step.outputs.size(), outputs.size());
  const double largest = *std::ranges::max_element(outputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    expect_near(step.outputs[i], outputs[i], largest, kOutputs, "outputs");
  }
  expect_near(step.loss, golden["loss"], golden["loss"], kLoss, "loss");
  expect_tensors(step.gradients, golden["gradients"], kGradients, "gradient");
  expect_tensors(scenario.weights(), golden["weights"], kWeights, "weights after a step");
  if (!golden.contains("fit")) return;
  expect_history(scenario.fit(), golden["fit"]["history"]);
  expect_tensors(scenario.weights(), golden["fit"]["weights"], kWeights, "weights after a fit");
}

INSTANTIATE_TEST_SUITE_P(Keras, Golden, testing::ValuesIn(cases()), [](const auto& one) {
  std::string name = one.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace sluice::parity

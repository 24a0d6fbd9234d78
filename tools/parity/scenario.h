#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sluice/mixture.h"
#include "sluice/trainer.h"

namespace sluice::parity {

// A scenario for the comparison of Sluice and Keras: one model, its initial weights, images, a few
// training steps and a short fit(). The driver gives it to Python; the golden test computes it
// again.

constexpr int kBatch = 16;     ///< batch of the single steps
constexpr int kBatches = 10;   ///< number of batches, used in turn
constexpr int kFitBatch = 32;  ///< the fit's last batch is partial
constexpr int kFitImages = 205;
constexpr int kFitEpochs = 2;
constexpr int kTestImages = 100;
constexpr double kFitLearningRate = 1e-5;  ///< the handout's rate: see docs/fidelity.md
constexpr std::uint64_t kSeed = 3;
constexpr std::uint32_t kStage = 5;

/// One Sequential of a scenario; most scenarios have only one.
struct Part {
  std::string prefix;  ///< prefix of its tensors' names: "", or "baseline/"
  const Sequential* model;
  Weights* weights;
  std::uint32_t number;  ///< RandomKey::part
  int group;             ///< group whose images it runs for; -1 for all images
};

/// Tensors by name, as in the weight files.
using Tensors = std::map<std::string, std::vector<float>>;

/// A step of training, before Adam changes the weights.
struct Step {
  std::vector<float> outputs;  ///< outputs with dropout
  double loss = 0;
  Tensors gradients;
};

class Scenario {
 public:
  /// `model`: cnn-small, cnn-large, gate, importance, mixture; or a mixture at an edge case:
  /// mixture-tie (the gate's outputs are equal) and mixture-clipped (the loss clips). Without
  /// dropout every rate is 0. `data` is load_data()'s argument. Throws Error (user) for an unknown
  /// model. `other` selects other initial weights.
  Scenario(const std::string& model, bool dropout, const std::string& data, int other = 0);

  const Dataset& data() const { return data_; }
  Examples train() const { return examples(data_.train); }
  Examples test() const { return examples(data_.test); }
  /// Returns rows of the first images; step s trains on batch s % kBatches.
  std::vector<std::uint32_t> rows_of_step(int step) const;

  std::vector<Part> parts();
  /// nullptr without routing.
  const Part* gate();
  std::unique_ptr<CompiledModel> compile(int batch);
  /// Restores the initial weights.
  void reset();

  /// Runs the first step; weights() are then those after it.
  Step first_step();
  /// Trains from the initial weights, and reports each step's number, from 1, and loss.
  void run(int steps, const std::function<void(int step, double loss)>& after_step);
  History fit();

  /// Return a copy of every weight, or of every gradient of a compiled model's trained parts.
  Tensors weights();
  Tensors gradients(CompiledModel& model);

 private:
  class Training;

  Examples examples(const LabelledImages& images) const;
  void spread_over_groups();

  std::string name_;
  Dataset data_;
  Groups groups_;
  std::unique_ptr<Mixture> mixture_;  ///< either a mixture or a single model
  std::unique_ptr<Sequential> single_;
  std::unique_ptr<MixtureWeights> mixture_weights_;
  std::unique_ptr<Weights> single_weights_;
  std::vector<Part> parts_;
  std::vector<std::vector<float>> first_weights_;  ///< for each part
};

}  // namespace sluice::parity

// Tests that results depend on the number of shards, and not on threads or ranks.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

#include "base/parallel.h"
#include "cluster/ranks_testing.h"
#include "runtime/backward_progress.h"
#include "runtime/network.h"
#include "runtime/network_testing.h"
#include "sluice/error.h"
#include "sluice/lab/models.h"
#include "sluice/mixture.h"
#include "sluice/trainer.h"
#include "tests/scratch.h"
#include "train/fit_testing.h"

namespace sluice {
namespace {

using testing::HasSubstr;

constexpr int kWholeBatch = 12;  // of 28 images: two full batches and a partial one
const Shape kImageShape{8, 8, 3};

/// With dropout, and without state.
Sequential plain_network() {
  return cnn("cnn", kImageShape, kClasses, CnnSize::small);
}

/// With running means.
Sequential normalised_network() {
  return {"normalised",
          kImageShape,
          {Conv2D{"conv", 8, 3, Activation::linear, 1, Padding::same, false},
           BatchNormalization{"norm"}, ActivationLayer{"relu"}, GlobalAveragePooling2D{"mean"},
           Dense{"output", kClasses, Activation::softmax}}};
}

/// With experts, a gate that has losses of its own, and running means in the experts.
Sequential expert_network() {
  MixtureOfExperts mixture{
      .name = "experts", .balance_loss = 0.1, .gate_loss = 0.3, .expert_of_class = {0, 1, 1, 0}};
  for (const char* name : {"a", "b"}) {
    mixture.experts.push_back({name,
                               {},
                               {Conv2D{"conv", 8, 3, Activation::linear, 1, Padding::same, false},
                                BatchNormalization{"norm"}, ActivationLayer{"relu"}}});
  }
  return {"routed",
          kImageShape,
          {Conv2D{"trunk", 8, 3}, GlobalAveragePooling2D{"mean"}, Dense{"gate", 2}, mixture,
           GlobalAveragePooling2D{"all"}, Dense{"output", kClasses, Activation::softmax}},
          {{"mean", {"trunk"}}, {"experts", {"trunk", "gate"}}}};
}

/// With kernels that are mixed for each image.
Sequential mixed_network() {
  return {"mixed",
          kImageShape,
          {CondConv2D{.name = "conv", .filters = 4, .kernels = 3}, GlobalAveragePooling2D{"mean"},
           Dense{"output", kClasses, Activation::softmax}}};
}

/// With dense layers. In a batch of 12, two ranks gather the rows of "wide", and four also those of
/// "narrow" and "open"; they sum the gradients of the others.
Sequential dense_network(std::set<std::string> frozen = {"frozen"}) {
  return {"dense",
          kImageShape,
          {Conv2D{"conv", 4, 3}, Flatten{"flatten"}, Dense{"wide", 96, Activation::relu},
           Dropout{"drop", 0.5F}, Dense{"frozen", 64, Activation::tanh},
           Dense{"narrow", 6, Activation::relu}, Dense{"open", 64, Activation::linear, false},
           Dense{"output", kClasses, Activation::softmax}},
          {},
          std::move(frozen)};
}

/// What a training gives: all that must be the same.
struct Outcome {
  std::vector<float> values;  ///< weights and state
  std::vector<double> figures;
  std::vector<double> expert_use;

  bool operator==(const Outcome&) const = default;
};

struct OutcomeRecorder : FitObserver {
  explicit OutcomeRecorder(Outcome& all) : outcome(all) {}
  void on_epoch(const Progress&, const Epoch& epoch) override {
    for (const double each : {epoch.loss, epoch.accuracy, epoch.val_loss, epoch.val_accuracy}) {
      outcome.figures.push_back(each);
    }
  }
  void on_expert_use(const std::vector<ExpertUse>& layers) override {
    for (const ExpertUse& layer : layers) {
      for (const ExpertUse::Count& count : layer.counts) {
        outcome.expert_use.push_back(count.taken);
        outcome.expert_use.push_back(count.right);
      }
    }
  }
  Outcome& outcome;
};

class ShardedModelTest : public testing::Test {
 protected:
  Outcome train(CompiledModel& model, const std::vector<Weights*>& weights) const {
    Outcome outcome;
    OutcomeRecorder recorder(outcome);
    fit(model, {train_, kNames}, {validation_, kNames},
        {.epochs = 2, .batch_size = kWholeBatch, .seed = 4}, recorder);
    for (const Weights* each : weights) {
      outcome.values.insert(outcome.values.end(), each->values().begin(), each->values().end());
    }
    return outcome;
  }

  Outcome train(const Sequential& model, int shards, Communicator* ranks = nullptr) const {
    Weights weights(model);
    weights.initialize(1, 1);
    const auto compiled =
        compile(model, weights, {.batch = kWholeBatch, .shards = shards, .ranks = ranks});
    return train(*compiled, {&weights});
  }

  Outcome train(const Mixture& model, int shards, Communicator* ranks = nullptr) const {
    MixtureWeights weights(model);
    for (Weights* part : weights.parts()) part->initialize(1, 1);
    const auto compiled =
        compile(model, weights, {.batch = kWholeBatch, .shards = shards, .ranks = ranks});
    return train(*compiled, weights.parts());
  }

  template <class Model>
  void expect_the_same_everywhere(const Model& model) const {
    const Outcome alone = [&] {
      const ThreadTeam team(1);
      return train(model, 4);
    }();
    for (const int threads : {2, 3}) {
      SCOPED_TRACE(testing::Message() << threads << " threads");
      const ThreadTeam team(threads);
      EXPECT_TRUE(train(model, 4) == alone);
    }
    for (const int count : {1, 2, 4}) {
      SCOPED_TRACE(testing::Message() << count << " ranks");
      std::vector<Outcome> of_ranks(static_cast<std::size_t>(count));
      ThreadRanks::run(count, [&](Communicator& ranks) {
        const ThreadTeam team(count == 4 ? 1 : 2);
        of_ranks[static_cast<std::size_t>(ranks.rank())] = train(model, 4, &ranks);
      });
      for (const Outcome& each : of_ranks) EXPECT_TRUE(each == alone);
    }
    EXPECT_FALSE(train(model, 2) == alone) << "the outcome must show differences";
  }

  LabelledImages train_ = random_set(28, 1, kImageShape);
  LabelledImages validation_ = random_set(9, 2, kImageShape);
};

TEST_F(ShardedModelTest, GivesTheSameBitsOnAnyThreadsAndRanks) {
  expect_the_same_everywhere(plain_network());
}

TEST_F(ShardedModelTest, SoDoesOneWithRunningMeans) {
  expect_the_same_everywhere(normalised_network());
}

TEST_F(ShardedModelTest, SoDoesOneWithFrozenLayers) {
  Sequential model = normalised_network();
  model.frozen = {"conv"};
  expect_the_same_everywhere(model);
  Weights weights(model);
  weights.initialize(1, 1);
  const Weights before = weights;
  const auto compiled = compile(model, weights, {.batch = kWholeBatch, .shards = 4});
  train(*compiled, {});
  const Weights::Tensor& kernel = weights.tensors().front();
  ASSERT_EQ(kernel.layer, "conv");
  for (std::size_t i = 0; i < kernel.size; ++i) {
    EXPECT_EQ(weights.values()[kernel.offset + i], before.values()[kernel.offset + i]);
  }
}

TEST_F(ShardedModelTest, SoDoesOneWithDenseLayers) {
  expect_the_same_everywhere(dense_network());
}

/// Also in batches that leave shards without rows, or are padded.
TEST_F(ShardedModelTest, GathersRowsOrSumsGradientsToTheSameBits) {
  struct Case {
    const char* frozen;
    int shards;
    int batch;
  };
  for (const Case& c :
       {Case{"frozen", 4, 12}, Case{"frozen", 8, 40}, Case{"wide", 4, 12},
        Case{"wide/kernel", 4, 40}, Case{"wide/bias", 4, 40}, Case{"conv", 8, 12}}) {
    SCOPED_TRACE(testing::Message() << c.frozen << ", " << c.shards << " shards of " << c.batch);
    const Sequential model = dense_network({c.frozen});
    const auto gradients_of = [&](Communicator* ranks) {
      Weights weights(model);
      weights.initialize(1, 1);
      const auto compiled =
          compile(model, weights, {.batch = c.batch, .shards = c.shards, .ranks = ranks});
      std::vector<std::vector<float>> all;
      for (const int rows : {c.batch, c.batch - 5, 3, 1, c.batch}) {
        compiled->forward(random_images(rows * element_count(kImageShape)), rows, {.seed = 3});
        compiled->backward(random_images(std::size_t(rows) * kClasses, 9), GradientOf::logits);
        const auto gradients = compiled->trained().front().gradients;
        all.emplace_back(gradients.begin(), gradients.end());
      }
      return all;
    };
    const ThreadTeam team(1);
    const auto alone = gradients_of(nullptr);
    for (int count = 1; count <= c.shards; count *= 2) {
      ThreadRanks::run(count, [&](Communicator& ranks) {
        EXPECT_TRUE(gradients_of(&ranks) == alone) << count << " ranks";
      });
    }
  }
}

/// What a network calls computed stays, so that it can be sent while the rest is computed.
TEST_F(ShardedModelTest, NetworksTellWhichGradientsAreComputed) {
  for (const Sequential& model : {plain_network(), dense_network(), expert_network()}) {
    SCOPED_TRACE(model.name);
    Weights weights(model);
    weights.initialize(1, 1);
    onednn::Context context;
    Network network(context, model, weights, {.batch = kWholeBatch});
    const std::vector<float> images = random_images(network.input().size());
    std::ranges::copy(images, network.input().begin());
    const RandomKey key{.seed = 3};
    network.forward(kWholeBatch, &key);
    std::ranges::fill(network.gradients(), NAN);
    std::map<std::size_t, std::vector<float>> told;
    network.on_gradients([&](std::size_t begin) {
      const auto computed = network.gradients().subspan(begin);
      told.try_emplace(begin, computed.begin(), computed.end());
    });
    network.backward(random_images(kWholeBatch * kClasses, 9), GradientOf::logits);
    EXPECT_GE(told.size(), 4U) << "one for each layer";
    for (const auto& [begin, values] : told) {
      EXPECT_TRUE(std::ranges::equal(values, network.gradients().subspan(begin))) << begin;
    }
  }
}

TEST(BackwardProgress, WaitsForAllShards) {
  BackwardProgress progress;
  progress.start(2);
  std::stop_source stop;
  progress.tell(0, 10);
  std::jthread other([&] { progress.tell(1, 20); });
  EXPECT_TRUE(progress.wait_for(20, stop.get_token()));
  other = std::jthread([&] {
    progress.tell(1, 15);
    stop.request_stop();
  });
  EXPECT_FALSE(progress.wait_for(10, stop.get_token()));
  progress.tell(1, 10);
  EXPECT_FALSE(progress.wait_for(10, stop.get_token())) << "stopped";
}

TEST_F(ShardedModelTest, ThrowsWhatItsMessagesThrow) {
  const auto messages = ThreadRanks::messages_of(
      2,
      [](Communicator& ranks) {
        Weights weights(dense_network());
        const auto compiled =
            compile(dense_network(), weights, {.batch = kWholeBatch, .shards = 2, .ranks = &ranks});
        compiled->forward(random_images(kWholeBatch * element_count(kImageShape)), kWholeBatch, {});
        if (ranks.rank() == 1) return;
        compiled->backward(random_images(kWholeBatch * kClasses), GradientOf::logits);
      },
      0.5);
  EXPECT_THAT(messages.front(), HasSubstr("[cluster] rank 1 on host b has not answered"));
}

TEST_F(ShardedModelTest, SendsWhatIsSmaller) {
  constexpr std::size_t kConv = 3 * 3 * 3 * 4 + 4;
  constexpr std::size_t kOutput = 64 * kClasses + kClasses;
  constexpr std::size_t kNarrow = 64 * 6 + 6;
  constexpr std::size_t kOpen = 6 * 64;
  constexpr std::size_t kRowOfWide = 256 + 96;
  constexpr std::size_t kRowsOfBoth = (64 + 6) + (6 + 64);
  constexpr std::size_t kRowOfOutputs = 2 * kClasses;  // and logits, of a row
  const auto bytes_of = [](int count, std::size_t rounds, std::size_t sums, std::size_t row) {
    const auto rows_of_others = static_cast<std::size_t>(kWholeBatch - kWholeBatch / count);
    return sizeof(float) * (rounds * sums + rows_of_others * (row + kRowOfOutputs));
  };
  const std::map<int, std::size_t> expected{
      {1, 0},
      {2, bytes_of(2, 1, kConv + kOutput + kNarrow + kOpen, kRowOfWide)},
      {4, bytes_of(4, 2, kConv + kOutput, kRowOfWide + kRowsOfBoth)}};
  for (const auto& each : expected) {
    const std::size_t bytes = each.second;
    ThreadRanks::run(each.first, [&](Ranks& ranks) {
      Weights weights(dense_network());
      weights.initialize(1, 1);
      const auto compiled =
          compile(dense_network(), weights, {.batch = kWholeBatch, .shards = 4, .ranks = &ranks});
      for (const std::size_t step : {1, 2}) {
        compiled->forward(random_images(kWholeBatch * element_count(kImageShape)), kWholeBatch, {});
        compiled->backward(random_images(kWholeBatch * kClasses), GradientOf::logits);
        EXPECT_EQ(ranks.bytes_sent(), step * bytes) << ranks.size() << " ranks";
      }
    });
  }
}

TEST_F(ShardedModelTest, SoDoesOneWithExperts) {
  expect_the_same_everywhere(expert_network());
}

TEST_F(ShardedModelTest, SoDoesOneWithMixedKernels) {
  expect_the_same_everywhere(mixed_network());
}

TEST_F(ShardedModelTest, SoDoesOneWithNoiseAndSelectionBiases) {
  Sequential model = expert_network();
  auto& mixture = std::get<MixtureOfExperts>(model.layers[3]);
  mixture.temperature = 0.5;
  mixture.noise = 0.5;
  mixture.bias_rate = 0.01;
  expect_the_same_everywhere(model);
}

/// A bias becomes the mean over the shards. A shard without rows leaves it.
TEST_F(ShardedModelTest, SelectionBiasesAreMeans) {
  Sequential model = expert_network();
  std::get<MixtureOfExperts>(model.layers[3]).bias_rate = 0.5;
  Weights weights(model);
  for (const Weights::Tensor& tensor : weights.tensors()) {
    if (tensor.layer == "gate" && tensor.kind == "bias") weights.values(tensor)[0] = 1;
  }
  const auto compiled = compile(model, weights, {.batch = 4, .shards = 4});
  compiled->forward(random_images(3 * element_count(kImageShape)), 3, {});
  EXPECT_THAT(weights.state().first(2), testing::ElementsAre(-0.375F, 0.375F));
}

TEST_F(ShardedModelTest, SoDoesTheLabsMixture) {
  const Groups groups({{"x", {"a", "b"}}, {"y", {"c", "d"}}}, kNames);
  NetworkChoice narrow;
  narrow.width = 0.25;
  expect_the_same_everywhere(mixture(groups, kImageShape, kClasses, narrow));
}

/// Without statistics of a shard the gradients are those of the whole batch, its masks of dropout
/// included.
TEST_F(ShardedModelTest, GradientsAreThoseOfTheWholeBatch) {
  const Sequential model = plain_network();
  Weights weights(model);
  weights.initialize(1, 1);
  const auto gradients_of = [&](int shards) {
    const auto compiled = compile(
        model, weights, {.batch = kWholeBatch, .compute = Compute::exact, .shards = shards});
    std::vector<std::vector<float>> all;
    for (const int rows : {kWholeBatch, 7, 2}) {  // the last ones leave shards without rows
      const std::vector<float> images = random_images(rows * element_count(kImageShape));
      const auto outputs = compiled->forward(images, rows, {.seed = 3, .step = 5});
      all.emplace_back(outputs.begin(), outputs.end());
      compiled->backward(random_images(std::size_t(rows) * kClasses, 9), GradientOf::logits);
      const auto gradients = compiled->trained().front().gradients;
      all.emplace_back(gradients.begin(), gradients.end());
    }
    return all;
  };
  const auto whole = gradients_of(1);
  for (const int shards : {2, 4, 8}) {
    const auto sum = gradients_of(shards);
    for (std::size_t i = 0; i < whole.size(); ++i)
      EXPECT_LT(relative_error(sum[i], whole[i]), 1e-5);
  }
}

/// A frozen layer passes on the gradient of its own weights and statistics in each shard.
TEST_F(ShardedModelTest, FrozenLayersPassOnTheGradientOfTheWholeBatch) {
  Sequential model = normalised_network();
  model.layers.insert(model.layers.begin(), Conv2D{"first", 4, 3});
  for (const std::set<std::string>& frozen :
       {std::set<std::string>{"norm"}, std::set<std::string>{"conv", "norm"}}) {
    model.frozen = frozen;
    Weights weights(model);
    weights.initialize(1, 1);
    const std::vector<float> images = random_images(kWholeBatch * element_count(kImageShape));
    const std::vector<float> diff = random_images(kWholeBatch * kClasses, 9);
    const auto gradients_of = [&](int shards) {
      const auto compiled = compile(
          model, weights, {.batch = kWholeBatch, .compute = Compute::exact, .shards = shards});
      compiled->forward(images, kWholeBatch, {});
      compiled->backward(diff, GradientOf::logits);
      const auto gradients = compiled->trained().front().gradients;
      return std::vector<float>(gradients.begin(), gradients.end());
    };
    const std::vector<float> whole = gradients_of(1);
    for (const int shards : {2, 4}) EXPECT_LT(relative_error(gradients_of(shards), whole), 1e-5);
  }
}

/// The losses of a layer of experts are means over the batch. With gates that choose without doubt
/// and equal shards their gradients are those of the whole, the noise of gates included.
TEST_F(ShardedModelTest, LossesOfExpertsHaveTheShardsShare) {
  Sequential model = expert_network();
  std::get<MixtureOfExperts>(model.layers[3]).balance_loss = 0;
  std::get<MixtureOfExperts>(model.layers[3]).noise = 2;
  for (Sequential& expert : std::get<MixtureOfExperts>(model.layers[3]).experts) {
    expert.layers = {Conv2D{"conv", 8, 3}};
  }
  Weights weights(model);
  weights.initialize(1, 1);
  const std::vector<float> images = random_images(kWholeBatch * element_count(kImageShape));
  const std::vector<float> diff(kWholeBatch * kClasses);  // only the gate's loss
  const std::vector<int> labels{0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3};
  const auto run = [&](int shards) {
    const auto compiled = compile(
        model, weights, {.batch = kWholeBatch, .compute = Compute::exact, .shards = shards});
    compiled->set_labels(labels);
    compiled->forward(images, kWholeBatch, {});
    compiled->backward(diff, GradientOf::logits);
    const auto gradients = compiled->trained().front().gradients;
    return std::vector<float>(gradients.begin(), gradients.end());
  };
  const std::vector<float> whole = run(1);
  EXPECT_GT(std::ranges::max(whole), 1e-4);
  for (const int shards : {2, 4}) EXPECT_LT(relative_error(run(shards), whole), 1e-5);
}

TEST_F(ShardedModelTest, RefusesOtherNumbers) {
  const auto message = [&](int shards, int ranks) {
    std::string text;
    try {
      ThreadRanks::run(ranks, [&](Communicator& each) { train(plain_network(), shards, &each); });
    } catch (const Error& error) {
      text = error.what();
    }
    return text;
  };
  EXPECT_THAT(message(3, 1), HasSubstr("shards = 3: must be a power of two"));
  EXPECT_THAT(message(0, 1), HasSubstr("shards = 0"));
  EXPECT_THAT(message(16, 1),
              HasSubstr("shards = 16: must leave an image for each, of a batch of 12"));
  EXPECT_THAT(message(4, 3), HasSubstr("3 ranks for 4 shards"));
  EXPECT_THAT(message(2, 4), HasSubstr("4 ranks for 2 shards"));
  EXPECT_EQ(message(4, 2), "");
}

}  // namespace
}  // namespace sluice

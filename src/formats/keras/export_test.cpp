#include <cmath>
#include <cstring>

#include "formats/keras/container.h"
#include "formats/keras/keras_names.h"
#include "formats/keras/zip.h"
#include "formats/model/declaration.h"
#include "graph/layer_types.h"
#include "sluice/exchange.h"
#include "sluice/lab/models.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

const Shape kInput{8, 8, 3};
const std::vector<std::string> kClassNames{"cat", "d\"og", "\xc3\xb6l", "van"};

Weights random_weights(const Sequential& model, std::uint32_t stream) {
  Weights weights(model);
  weights.initialize(3, stream);
  const auto values = weights.values();
  values[0] = -0.f;
  values[1] = 1e-42f;
  values[2] = 3e38f;
  values.back() = -1.5f;
  return weights;
}

void expect_same(const Sequential& a, const Sequential& b) {
  EXPECT_EQ(to_declaration(a), to_declaration(b));
}

void expect_same(const Weights& a, const Weights& b) {
  ASSERT_EQ(a.values().size(), b.values().size());
  EXPECT_EQ(std::memcmp(a.values().data(), b.values().data(), a.values().size_bytes()), 0);
}

TEST(KerasExport, AModelComesBackBitByBit) {
  const ScratchFolder temp;
  for (const Sequential& model :
       {cnn("small one", kInput, 4, CnnSize::small), cnn("large", kInput, 4, CnnSize::large),
        cnn("gate", kInput, 2, CnnSize::small), importance_model("importance", kInput, 4),
        Sequential{"odd",
                   {4, 6, 1},
                   {Conv2D{"c", 2, 5, Activation::linear}, MaxPooling2D{"p", 3}, Dropout{"d", 0.1f},
                    Flatten{"f"}, Dense{"o", 4}}}}) {
    const bool gate = model.name == "gate";
    const SavedModel saved{model, random_weights(model, 1),
                           gate ? std::vector<std::string>{} : kClassNames};
    for (const auto& write : {export_keras, export_keras_h5}) {
      write(temp / "m.keras", saved);
      const auto back = std::get<SavedModel>(import_keras(temp / "m.keras"));
      expect_same(back.model, saved.model);
      expect_same(back.weights, saved.weights);
      EXPECT_EQ(back.class_names, saved.class_names);
    }
  }
}

SavedMixture mixture_of(const std::vector<Groups::Group>& groups) {
  const Mixture model = mixture(Groups(groups, kClassNames), kInput, 4, CnnSize::large);
  SavedMixture saved{model, MixtureWeights(model), kClassNames, groups};
  std::uint32_t stream = 0;
  const auto parts = model.parts();
  const auto weights = saved.weights.parts();
  for (std::size_t p = 0; p < parts.size(); ++p) *weights[p] = random_weights(*parts[p], ++stream);
  return saved;
}

TEST(KerasExport, NamesOfLayersAreThoseThatEveryBackendTakes) {
  const Sequential model{"m",
                         kInput,
                         {Conv2D{"a.b", 2}, Conv2D{"a_b", 2}, Conv2D{"a_b_2", 2}, Add{"sum"},
                          Flatten{"flat"}, Dense{"out", 4}},
                         {{"a_b_2", {"a.b"}}, {"sum", {"a_b", "a_b_2"}}},
                         {"a.b/bias", "a_b_2", "a_b/kernel"}};
  const SavedModel saved{model, random_weights(model, 1), kClassNames};
  const NamedForKeras named = with_keras_names(saved);
  const auto& [renamed, weights, class_names, resize, exif] = std::get<SavedModel>(named.model);
  std::vector<std::string> names;
  for (const Layer& layer : renamed.layers) names.push_back(name_of(layer));
  EXPECT_THAT(names, testing::ElementsAre("a_b_3", "a_b", "a_b_2", "sum", "flat", "out"));
  EXPECT_EQ(renamed.inputs, (std::map<std::string, std::vector<std::string>>{
                                {"a_b_2", {"a_b_3"}}, {"sum", {"a_b", "a_b_2"}}}));
  EXPECT_EQ(renamed.frozen, (std::set<std::string>{"a_b_3/bias", "a_b_2", "a_b/kernel"}));
  expect_same(weights, saved.weights);
  EXPECT_EQ(weights.tensors()[0].layer, "a_b_3");

  AnyModel back = named.model;
  take_layer_names(named.notes, back, "m.keras");
  expect_same(std::get<SavedModel>(back).model, saved.model);
  expect_same(std::get<SavedModel>(back).weights, saved.weights);
  for (const char* odd : {"1", "[]", "[1]", R"([{"out":"flat"}])", R"([{"out":1}])", "[{}, {}]"}) {
    EXPECT_EQ(error_of(Fault::user,
                       [&] {
                         take_layer_names({{"layer_names", odd}}, back, "m");
                       }),
              "[keras] m: layer_names: they do not fit the model's layers")
        << odd;
  }
}

TEST(KerasExport, AMixtureComesBackBitByBit) {
  const ScratchFolder temp;
  for (const std::vector<Groups::Group>& groups :
       {std::vector<Groups::Group>{{"z", {"cat", "d\"og"}}, {"a", {"\xc3\xb6l", "van"}}},
        std::vector<Groups::Group>{
            {"m", {"van"}}, {"z", {"cat", "d\"og"}}, {"a", {"\xc3\xb6l"}}}}) {
    const SavedMixture saved = mixture_of(groups);
    export_keras(temp / "m.keras", saved);
    const auto back = std::get<SavedMixture>(import_keras(temp / "m.keras"));
    EXPECT_EQ(back.class_names, kClassNames);
    ASSERT_EQ(back.groups.size(), groups.size());
    const auto parts = saved.model.parts();
    for (std::size_t p = 0; p < parts.size(); ++p) {
      expect_same(*back.model.parts()[p], *parts[p]);
      expect_same(*back.weights.parts()[p], *saved.weights.parts()[p]);
    }
    for (std::size_t g = 0; g < groups.size(); ++g) {
      EXPECT_EQ(back.groups[g].name, groups[g].name) << "the gate's output " << g;
      EXPECT_EQ(back.groups[g].classes, groups[g].classes);
      EXPECT_EQ(back.model.branches[g].group, groups[g].name);
    }
  }
}

TEST(KerasExport, LegacyFilesAreInTheFormOfKeras2) {
  // tools/parity/keras_files.py opens them in Keras 2 itself.
  const ScratchFolder temp;
  const SavedMixture saved = mixture_of({{"z", {"cat", "van"}}, {"a", {"d\"og", "\xc3\xb6l"}}});
  export_keras_h5(temp / "m.h5", saved);
  const KerasFile file = read_keras_file(temp / "m.h5");
  const std::string config = file.config.dump();
  for (const char* other : {"module", "registered_name", "\"batch_shape\"", "keras_history"}) {
    EXPECT_THAT(config, testing::Not(HasSubstr(other)));
  }
  EXPECT_THAT(config, HasSubstr(R"("batch_input_shape":[null,8,8,3])"));
  EXPECT_THAT(config,
              HasSubstr(R"([["weighted-baseline-z",0,0,{}],["weighted-expert-z",0,0,{}]])"));
  EXPECT_THAT(config, HasSubstr(R"([["baseline",1,0,{}]])")) << "0 is the model's own node";
  EXPECT_EQ(file.tensors.metadata().at("model_weights/expert-z@weight_names").substr(0, 36),
            R"(["conv1_1/kernel:0","conv1_1/bias:0")");
  EXPECT_EQ(file.tensors.metadata().at("model_weights/output@weight_names"), "[]");
  EXPECT_NE(file.tensors.find("model_weights/gate/conv1_1/kernel:0"), nullptr);

  const auto back = std::get<SavedMixture>(import_keras(temp / "m.h5"));
  EXPECT_EQ(back.groups[0].classes, saved.groups[0].classes);
  const auto parts = saved.model.parts();
  for (std::size_t p = 0; p < parts.size(); ++p) {
    expect_same(*back.model.parts()[p], *parts[p]);
    expect_same(*back.weights.parts()[p], *saved.weights.parts()[p]);
  }
}

/// Keras takes the weights of a nested model in this order, whatever their names.
TEST(KerasExport, LegacyFilesListWhatIsTrainedFirst) {
  const ScratchFolder temp;
  SavedMixture saved = mixture_of({{"z", {"cat", "van"}}, {"a", {"d\"og", "\xc3\xb6l"}}});
  Sequential& gate = saved.model.gate;
  gate.layers = {Conv2D{"a", 2}, BatchNormalization{"n"},    BatchNormalization{"m"},
                 Conv2D{"b", 2}, GlobalMaxPooling2D{"pool"}, Dense{"o", 2, Activation::softmax}};
  gate.inputs = {{"b", {"m"}}};
  gate.frozen = {"n", "a/bias"};
  saved.weights.gate = random_weights(gate, 5);
  export_keras_h5(temp / "m.h5", saved);
  const KerasFile file = read_keras_file(temp / "m.h5");
  EXPECT_EQ(file.tensors.metadata().at("model_weights/gate@weight_names"),
            R"(["a/kernel:0","a/bias:0","m/gamma:0","m/beta:0","b/kernel:0","b/bias:0",)"
            R"("o/kernel:0","o/bias:0","n/gamma:0","n/beta:0","n/moving_mean:0",)"
            R"("n/moving_variance:0","m/moving_mean:0","m/moving_variance:0"])");
  const auto back = std::get<SavedMixture>(import_keras(temp / "m.h5"));
  EXPECT_EQ(back.model.gate.frozen, std::set<std::string>{"n"}) << "Keras freezes whole layers";
  const Weights& weights = back.weights.gate;
  for (std::size_t i = 0; i < weights.tensors().size(); ++i) {
    EXPECT_TRUE(std::ranges::equal(weights.values(weights.tensors()[i]),
                                   saved.weights.gate.values(saved.weights.gate.tensors()[i])));
  }
}

TEST(KerasExport, GroupsAreInTheLayersNamesToo) {
  // Keras writes no metadata of others, but keeps names.
  const ScratchFolder temp;
  export_keras(temp / "m.keras",
               mixture_of({{"z", {"cat", "van"}}, {"a", {"d\"og", "\xc3\xb6l"}}}));
  const std::string zip = load(temp / "m.keras");
  auto members = read_zip(
      zip, {{"metadata.json", 1 << 20}, {"config.json", 1 << 20}, {"model.weights.h5", 1 << 30}},
      "m");
  ASSERT_EQ(members.size(), 3u);
  save(temp / "again.keras", to_zip({{"metadata.json", "{}"},
                                     {"config.json", members["config.json"]},
                                     {"model.weights.h5", members["model.weights.h5"]}}));
  const auto back = std::get<SavedMixture>(import_keras(temp / "again.keras"));
  ASSERT_EQ(back.groups.size(), 2u);
  EXPECT_EQ(back.groups[0].name, "z");
  EXPECT_TRUE(back.groups[0].classes.empty());
  EXPECT_TRUE(back.class_names.empty());

  save(temp / "m.weights.h5", members["model.weights.h5"]);
  KerasOptions options;
  options.input = kInput;
  const auto weights = std::get<SavedMixture>(import_keras(temp / "m.weights.h5", options));
  EXPECT_EQ(weights.groups[0].name, "z");
  expect_same(weights.weights.experts[0], back.weights.experts[0]);
}

TEST(KerasExport, TheSameModelGivesTheSameFile) {
  const ScratchFolder temp;
  const Sequential model = importance_model("i", kInput, 4);
  const SavedModel saved{model, random_weights(model, 2), kClassNames};
  export_keras(temp / "a.keras", saved);
  export_keras(temp / "b.keras", saved);
  EXPECT_EQ(load(temp / "a.keras"), load(temp / "b.keras"));
  export_keras_h5(temp / "a.h5", saved);
  export_keras_h5(temp / "b.h5", saved);
  EXPECT_EQ(load(temp / "a.h5"), load(temp / "b.h5"));
}

TEST(KerasExport, WhatCannotBeWritten) {
  const ScratchFolder temp;
  Sequential model = importance_model("a/b", kInput, 4);
  const auto write = [&](const std::string& to) {
    return error_of(Fault::user, [&] {
      export_keras(temp / to, SavedModel{model, Weights(model), {}});
    });
  };
  EXPECT_EQ(write("m.keras"), "[keras] 'a/b' cannot be a name in Keras: leave out the slash");
  model.name = "a";
  EXPECT_THAT(write("none/m.keras"), HasSubstr("No such file or directory: is the path right?"));
  EXPECT_TRUE(std::filesystem::is_empty(temp.path()));
}

}  // namespace
}  // namespace sluice

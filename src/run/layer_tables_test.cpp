#include "run/layer_tables.h"

#include "base/files.h"
#include "formats/model/declaration.h"
#include "sluice/lab/run_folder.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

class LayerTables : public testing::Test {
 protected:
  Experiment read(const std::string& text) {
    write_file(file_, text);
    return read_experiment(file_);
  }
  /// Returns the message from the line on.
  std::string refusal(const std::string& text) {
    const std::string what = error_of(Fault::user, [&] { read(text); });
    const std::string place = file_.string() + ":";
    const std::size_t at = what.find(place);
    return at == std::string::npos ? what : what.substr(at + place.size());
  }

  ScratchFolder temp_;
  std::filesystem::path file_ = temp_ / "own.toml";
};

constexpr const char* kLayers = R"([[model.layers]]
class_name = "Conv2D"
filters = 8
kernel_size = [3, 5]
activation = "relu"
padding = "same"
name = "first"
[[model.layers]]
class_name = "Conv2D"
filters = 8
strides = 2
use_bias = false
[[model.layers]]
class_name = "BatchNormalization"
momentum = 0.9
[[model.layers]]
class_name = "GlobalAveragePooling2D"
[[model.layers]]
class_name = "GlobalMaxPooling2D"
inputs = ["first"]
name = "most"
[[model.layers]]
class_name = "Concatenate"
inputs = ["layer4", "most"]
[[model.layers]]
class_name = "Dropout"
rate = 0.25
)";

TEST_F(LayerTables, AreANetworkWithItsOutput) {
  const Experiment experiment = read(kLayers);
  EXPECT_EQ(experiment.lab.network.name, "layers");
  const Sequential model = network("baseline", {32, 32, 3}, 10, experiment.lab.network);
  std::string words;
  for (const LayerSummary& layer : summarize(model)) {
    words += layer.name + " " + layer.type + " " + to_string(layer.output) + "\n";
  }
  EXPECT_EQ(words,
            "first Conv2D (32, 32, 8)\nlayer2 Conv2D (15, 15, 8)\n"
            "layer3 BatchNormalization (15, 15, 8)\nlayer4 GlobalAveragePooling2D (8)\n"
            "most GlobalMaxPooling2D (8)\nlayer6 Concatenate (16)\nlayer7 Dropout (16)\n"
            "output Dense (10)\n");
  const auto& second = std::get<Conv2D>(model.layers[1]);
  EXPECT_EQ(second.padding, Padding::valid) << "Keras's default";
  EXPECT_EQ(second.activation, Activation::linear) << "Keras's default";
  EXPECT_FALSE(second.use_bias);
  EXPECT_EQ(std::get<Conv2D>(model.layers[0]).kernel_size, Size2D(3, 5));
}

TEST_F(LayerTables, AreWrittenAndReadBack) {
  const Experiment experiment = read(kLayers);
  const Experiment again = read(to_toml(experiment));
  const auto declared = [](const Experiment& e) {
    return to_declaration(network("m", {32, 32, 3}, 10, e.lab.network));
  };
  EXPECT_EQ(declared(again), declared(experiment));
  EXPECT_EQ(difference(experiment, again), "");
  std::string wider = kLayers;
  wider.replace(wider.find("filters = 8"), 11, "filters = 9");
  EXPECT_THAT(difference(experiment, read(wider)), HasSubstr("model.layers[0] was class_name"));
}

TEST_F(LayerTables, KernelsBeginAsTheTableSays) {
  const char* const text = R"([[model.layers]]
class_name = "Conv2D"
filters = 8
kernel_size = 3
kernel_initializer = "he_normal"
[[model.layers]]
class_name = "GlobalAveragePooling2D"
[[model.layers]]
class_name = "Dense"
units = 4
kernel_initializer = "centroids"
)";
  const Experiment experiment = read(text);
  const std::vector<Layer>& layers = experiment.lab.network.layers.layers;
  EXPECT_EQ(std::get<Conv2D>(layers[0]).kernel_initializer, Initializer::he_normal);
  EXPECT_EQ(std::get<Dense>(layers[2]).kernel_initializer, Initializer::centroids);
  EXPECT_EQ(difference(experiment, read(to_toml(experiment))), "");
  EXPECT_EQ(to_toml(read(to_toml(experiment))), to_toml(experiment));
  std::string other = text;
  other.replace(other.find("he_normal"), 9, "he_common");
  EXPECT_THAT(
      error_of(Fault::user, [&] { read(other); }),
      HasSubstr("kernel_initializer = \"he_common\": must be one of glorot_uniform, he_norm"));
}

TEST_F(LayerTables, MistakesAreNamedWithTheirLine) {
  const auto changed = [&](const std::string& line, const std::string& other) {
    std::string text = kLayers;
    text.replace(text.find(line), line.size(), other);
    return refusal(text);
  };
  EXPECT_EQ(changed("filters = 8", "filters = 0"),
            "3: model.layers: filters = 0: must be a whole number from 1 to 65536");
  EXPECT_EQ(changed("filters = 8", "units = 8"),
            "1: model.layers: a layer has no filters: add one");
  EXPECT_EQ(changed("padding = \"same\"", "padding = \"full\""),
            "6: model.layers: padding = \"full\": must be \"valid\" or \"same\"");
  EXPECT_EQ(changed("momentum", "momentom"),
            "15: model.layers: momentom is not a key of this layer: did you mean momentum?");
  EXPECT_EQ(changed("\"BatchNormalization\"", "\"BatchNormalisation\""),
            "13: model.layers: class_name = \"BatchNormalisation\": did you mean "
            "BatchNormalization?");
  EXPECT_EQ(changed("rate = 0.25", "rate = 1"),
            "27: model.layers: rate = 1: must be at least 0 and below 1");
  EXPECT_THAT(
      changed("activation = \"relu\"", "activation = \"rely\""),
      testing::StartsWith("5: model.layers: activation = \"rely\": must be one of linear, "));
  EXPECT_EQ(changed("[3, 5]", "[33, 5, 1]"),
            "4: model.layers: kernel_size = [...]: must be one size, or [height, width]");
  EXPECT_THAT(changed("\"Concatenate\"", "\"Flatten\""),
              HasSubstr("22: model.layers: layer6: takes one input, not 2"));
  EXPECT_EQ(changed("[\"layer4\", \"most\"]", "[\"layer4\"]"),
            "18: model.layers: no layer takes the result of 'most': leave it out, or use it");
  EXPECT_THAT(changed("[\"layer4\", \"most\"]", "[\"layer4\", \"none\"]"),
              HasSubstr("22: model.layers: layer6: takes 'none', which is no layer before it"));
  EXPECT_THAT(changed("\"GlobalAveragePooling2D\"", "\"AveragePooling2D\"\npool_size = 16"),
              HasSubstr("16: model.layers: layer4: a window of 16x16 does not fit"));
  EXPECT_EQ(refusal("[[model.layers]]\nclass_name = \"MaxPooling2D\"\n[[model.layers]]\nclass_name "
                    "= \"ZeroPadding2D\""),
            "3: model.layers: output: takes one axis, not (18, 18, 3): put a Flatten before it");
  EXPECT_EQ(refusal("model.layers = 3"),
            "1: model.layers = 3: must be a list: start each layer with [[model.layers]], in "
            "double brackets");
  EXPECT_THAT(refusal("model.network = \"layers\""), HasSubstr("add [[model.layers]]"));
  EXPECT_THAT(refusal(std::string("model.network = \"lab\"\n") + kLayers),
              HasSubstr("2: there are [[model.layers]], and model.network is \"lab\""));
}

constexpr const char* kRouted = R"([[model.layers]]
class_name = "Conv2D"
filters = 8
name = "trunk"
[[model.layers]]
class_name = "GlobalAveragePooling2D"
[[model.layers]]
class_name = "Dense"
units = 3
name = "gate"
[[model.layers]]
class_name = "MixtureOfExperts"
inputs = ["trunk", "gate"]
experts = 3
top_k = 2
balance_loss = 0.01
temperature = 0.5
noise = 0.25
bias_rate = 0.001
expert_of_class = [0, 2, 1]
[[model.layers.expert]]
class_name = "Conv2D"
filters = 4
name = "conv"
[[model.layers.expert]]
class_name = "BatchNormalization"
inputs = ["conv"]
[[model.layers]]
class_name = "GlobalAveragePooling2D"
)";

TEST_F(LayerTables, ExpertsAreCopiesOfOneNetwork) {
  const Experiment experiment = read(kRouted);
  const Sequential& network = experiment.lab.network.layers;
  ASSERT_EQ(network.layers.size(), 5u);
  const auto& mixture = std::get<MixtureOfExperts>(network.layers[3]);
  EXPECT_EQ(mixture.name, "layer4");
  EXPECT_EQ(mixture.top_k, 2);
  EXPECT_FALSE(mixture.normalize_weights);
  EXPECT_EQ(mixture.balance_loss, 0.01);
  EXPECT_EQ(mixture.gate_loss, 0);
  EXPECT_EQ(mixture.temperature, 0.5);
  EXPECT_EQ(mixture.noise, 0.25);
  EXPECT_EQ(mixture.bias_rate, 0.001);
  EXPECT_THAT(mixture.expert_of_class, testing::ElementsAre(0, 2, 1));
  ASSERT_EQ(mixture.experts.size(), 3u);
  for (int e = 0; e < 3; ++e) {
    const Sequential& expert = mixture.experts[e];
    EXPECT_EQ(expert.name, "expert" + std::to_string(e + 1));
    ASSERT_EQ(expert.layers.size(), 2u);
    EXPECT_EQ(std::get<Conv2D>(expert.layers[0]).padding, Padding::valid) << "Keras's default";
    EXPECT_EQ(expert.inputs.at("layer2"), std::vector<std::string>{"conv"});
  }
  const std::string written = to_toml(experiment);
  EXPECT_THAT(difference(read(written), experiment), testing::IsEmpty()) << written;
  const std::string other =
      std::string(kRouted).replace(std::string(kRouted).find("s = 4"), 5, "s = 5");
  EXPECT_THAT(difference(read(other), experiment), HasSubstr("filters = 4")) << "of an expert";
}

TEST_F(LayerTables, ACascadeEndsItsNetwork) {
  const std::string text = R"([[model.layers]]
class_name = "GlobalAveragePooling2D"
[[model.layers]]
class_name = "Dense"
units = 10
name = "first"
[[model.layers]]
class_name = "Cascade"
inputs = ["images", "first"]
experts = 1
share = 0.5
training_share = 0.75
[[model.layers.expert]]
class_name = "Flatten"
[[model.layers.expert]]
class_name = "Dense"
units = 10
)";
  EXPECT_THAT(refusal(text), HasSubstr("layer3 would choose its threshold by the test images"));
  const Experiment experiment = read(text + "[train]\nvalidation_split = 0.1\n");
  const auto& cascade = std::get<Cascade>(experiment.lab.network.layers.layers[2]);
  EXPECT_EQ(cascade.share, 0.5);
  EXPECT_EQ(cascade.training_share, 0.75);
  EXPECT_EQ(cascade.first_loss, 1);
  EXPECT_EQ(cascade.experts.size(), 1u);
  EXPECT_THAT(difference(read(to_toml(experiment)), experiment), testing::IsEmpty());
  const std::vector<std::string> classes(10, "a class");
  const auto model = std::get<Sequential>(declare(experiment, classes));
  EXPECT_EQ(model.layers.size(), 4u) << "a softmax, and no Dense";
  EXPECT_TRUE(std::holds_alternative<ActivationLayer>(model.layers.back()));
  EXPECT_THAT(error_of(Fault::user,
                       [&] {
                         declare(experiment, {"a", "b"});
                       }),
              HasSubstr("its cascade has logits (10), but there are 2 classes"));
}

TEST_F(LayerTables, KernelsToMixAreCounted) {
  const std::string head = "[[model.layers]]\nclass_name = \"CondConv2D\"\nfilters = 8\n";
  const Experiment experiment = read(head + "kernels = 6\nkernel_size = 3\nuse_bias = false\n" +
                                     "[[model.layers]]\nclass_name = \"GlobalMaxPooling2D\"\n");
  const auto& layer = std::get<CondConv2D>(experiment.lab.network.layers.layers.front());
  EXPECT_EQ(layer.kernels, 6);
  EXPECT_EQ(layer.padding, Padding::valid) << "Keras's default";
  EXPECT_FALSE(layer.use_bias);
  EXPECT_EQ(difference(read(to_toml(experiment)), experiment), "");
  EXPECT_THAT(refusal(head + "kernels = 0\n"),
              HasSubstr("4: model.layers: kernels = 0: must be a whole number from 1 to 256"));
  EXPECT_THAT(refusal(head + "kernel_size = 3\n"),
              HasSubstr("1: model.layers: a layer has no kernels: add one"));
}

TEST_F(LayerTables, RefuseExpertsAtTheirLine) {
  const auto with = [](const std::string& lines) {
    return "[[model.layers]]\nclass_name = \"MixtureOfExperts\"\n" + lines;
  };
  EXPECT_THAT(
      refusal(with("experts = 2\n")),
      HasSubstr("1: model.layers: list the layers of an expert as [[model.layers.expert]]"));
  EXPECT_THAT(refusal(with("experts = 0\n")),
              HasSubstr("3: model.layers: experts = 0: must be a whole number from 1 to 256"));
  EXPECT_THAT(refusal(with("experts = 2\nexpert_of_class = [-1]\n")),
              HasSubstr("[[model.layers.expert]]"));
  const std::string expert = "experts = 2\ntop_k = 1\n[[model.layers.expert]]\n";
  EXPECT_THAT(refusal(with(expert + "class_name = \"Conv2D\"\n")),
              HasSubstr("5: model.layers: a layer has no filters: add one"));
  for (const char* nested : {"MixtureOfExperts", "Cascade", "CondConv2D"}) {
    EXPECT_THAT(refusal(with(expert + "class_name = \"" + nested + "\"\n")),
                HasSubstr("5: model.layers: an expert cannot have a mixture"));
  }
  const std::string dense = expert + "class_name = \"Dense\"\nunits = 3\n";
  EXPECT_THAT(refusal(with("name = \"m\"\ntop_k = 1\nexpert_of_class = [-1]\nexperts = 2\n" +
                           dense.substr(dense.find("[[")))),
              HasSubstr("5: model.layers: expert_of_class = -1: must be a whole number from 0"));
}

}  // namespace
}  // namespace sluice

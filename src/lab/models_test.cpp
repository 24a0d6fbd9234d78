#include "sluice/lab/models.h"

#include <fmt/format.h>

#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

const Shape kPicture{32, 32, 3};

TEST(Models, HaveTheLabsParameterCounts) {
  EXPECT_EQ(count_parameters(cnn("cnn", kPicture, 10, CnnSize::small)), 2168362);
  EXPECT_EQ(count_parameters(cnn("cnn", kPicture, 2, CnnSize::small)), 2164258);
  EXPECT_EQ(count_parameters(cnn("cnn", kPicture, 10, CnnSize::large)), 1341226);
  EXPECT_EQ(count_parameters(importance_model("importance", kPicture, 10)), 1583636);
  const Groups groups({{"one", {"a"}}, {"other", {"b"}}}, {"a", "b"});
  EXPECT_EQ(count_parameters(mixture(groups, kPicture, 10, CnnSize::small)), 11836616);
}

TEST(Models, HaveTheLabsLayerNames) {
  const auto names = [](CnnSize size) {
    std::string all;
    for (const LayerSummary& layer : summarize(cnn("cnn", kPicture, 10, size))) {
      all += layer.name + " ";
    }
    return all;
  };
  EXPECT_EQ(names(CnnSize::small),
            "conv1.1 conv1.2 pool1 drop1 conv2.1 conv2.2 pool2 drop2 flatten dense1 drop3 output ");
  EXPECT_EQ(names(CnnSize::large),
            "conv1.1 conv1.2 pool1 drop1 conv2.1 conv2.2 pool2 drop2 conv3.1 conv3.2 pool3 drop3 "
            "flatten dense1 drop4 output ");
}

struct Words {
  static std::string of(Activation activation) {
    return activation == Activation::relu      ? " relu"
           : activation == Activation::softmax ? " softmax"
                                               : " linear";
  }
  std::string operator()(const Conv2D& layer) const {
    return fmt::format("Conv2D {} {}{}", layer.filters, layer.kernel_size.height,
                       of(layer.activation));
  }
  std::string operator()(const MaxPooling2D& layer) const {
    return fmt::format("MaxPooling2D {}", layer.pool_size.height);
  }
  std::string operator()(const Dropout& layer) const {
    return fmt::format("Dropout {}", layer.rate);
  }
  std::string operator()(const Flatten&) const { return "Flatten"; }
  std::string operator()(const Dense& layer) const {
    return fmt::format("Dense {}{}", layer.units, of(layer.activation));
  }
  std::string operator()(const Reshape& layer) const {
    return "Reshape " + to_string(layer.target);
  }
  std::string operator()(const auto&) const { return "no layer of the lab"; }
};

/// Returns for example "Conv2D 32 relu" for each layer.
std::string in_words(const Sequential& model) {
  std::string all;
  for (const Layer& layer : model.layers) {
    all += (all.empty() ? "" : ", ") + std::visit(Words(), layer);
  }
  return all;
}

TEST(Models, HaveTheLabsLayers) {
  const std::string two_blocks =
      "Conv2D 32 3 relu, Conv2D 32 3 relu, MaxPooling2D 2, Dropout 0.25, Conv2D 64 3 relu, Conv2D "
      "64 3 relu, MaxPooling2D 2, Dropout 0.25, ";
  const std::string dense = "Flatten, Dense 512 relu, Dropout 0.5, ";
  const Groups groups({{"one", {"a"}}, {"other", {"b"}}}, {"a", "b"});
  const Mixture small = mixture(groups, kPicture, 10, CnnSize::small);
  const Mixture large = mixture(groups, kPicture, 10, CnnSize::large);
  EXPECT_EQ(in_words(small.baseline), two_blocks + dense + "Dense 10 softmax");
  EXPECT_EQ(in_words(large.baseline), two_blocks +
                                          "Conv2D 128 3 relu, Conv2D 128 3 relu, MaxPooling2D 2, "
                                          "Dropout 0.25, " +
                                          dense + "Dense 10 softmax");
  for (const Mixture* model : {&small, &large}) {
    const std::string baseline = in_words(model->baseline);
    EXPECT_EQ(in_words(model->gate), baseline.substr(0, baseline.size() - 10) + "2 softmax");
    for (const Mixture::Branch& branch : model->branches) {
      EXPECT_EQ(in_words(branch.expert), baseline);
      EXPECT_EQ(in_words(branch.importance), dense + "Dense 20 softmax, Reshape (10, 2)");
    }
  }
}

TEST(Models, CanBeWider) {
  const auto filters = [](double width) {
    const Sequential model = cnn("cnn", kPicture, 10, CnnSize::small, width);
    return std::get<Conv2D>(model.layers[0]).filters;
  };
  EXPECT_EQ(filters(1), 32);
  EXPECT_EQ(filters(1.25), 40);
  EXPECT_EQ(filters(1.3), 40) << "whole eights";
  EXPECT_EQ(filters(1.45), 48) << "the nearest";
  EXPECT_EQ(filters(0.01), 8);
  const Sequential twice = cnn("cnn", kPicture, 10, CnnSize::small, 2);
  EXPECT_EQ(std::get<Dense>(twice.layers[9]).units, 1024);
  EXPECT_EQ(std::get<Dense>(twice.layers.back()).units, 10);
}

TEST(Models, LayersOfAPatternAreFrozen) {
  NetworkChoice choice;
  choice.name = "resnet20";
  choice.freeze = {"conv", "block1.*"};
  const Sequential model = network("m", {32, 32, 3}, 10, choice);
  for (const LayerSummary& layer : summarize(model)) {
    const bool is_frozen = layer.name == "conv" || layer.name.starts_with("block1.");
    for (const TensorSpec& tensor : layer.tensors) {
      const bool is_state = tensor.name.starts_with("moving");
      EXPECT_EQ(tensor.trained, !is_frozen && !is_state) << layer.name << " " << tensor.name;
    }
  }
  const auto refusal = [&](const std::vector<std::string>& freeze) {
    choice.freeze = freeze;
    return error_of(Fault::user, [&] { network("m", {32, 32, 3}, 10, choice); });
  };
  EXPECT_EQ(refusal({"con"}),
            "[model] model.freeze: con is no layer of the network: did you mean conv?");
  EXPECT_THAT(refusal({"trunk*"}),
              HasSubstr("trunk* is no layer of the network: its layers are conv, "));
  EXPECT_EQ(refusal({"*"}), "[model] model.freeze leaves no layer that is trained: give fewer");
}

TEST(Models, AirbenchHasAFrozenWhiteningKernel) {
  NetworkChoice choice;
  choice.name = "airbench";
  for (const int channels : {1, 3}) {
    const Sequential model = network("m", {32, 32, channels}, 10, choice);
    EXPECT_EQ(model.frozen, std::set<std::string>{"whiten/kernel"});
    const LayerSummary whiten = summarize(model)[1];
    EXPECT_EQ(whiten.output, (Shape{31, 31, 8 * channels}));
    EXPECT_EQ(whiten.tensors[0].initializer, Initializer::whitening);
    EXPECT_FALSE(whiten.tensors[0].trained);
    EXPECT_TRUE(whiten.tensors[1].trained) << "the bias";
    EXPECT_EQ(summarize(model).end()[-3].tensors[0].initializer, Initializer::fan_in);
  }
}

TEST(Models, ImagesThatNeedTooManyParametersAreRefused) {
  const auto refusal = [](int side, CnnSize size) {
    return error_of(Fault::user, [&] { cnn("baseline", {side, side, 3}, 10, size); });
  };
  EXPECT_EQ(
      refusal(224, CnnSize::small),
      "[model] baseline: images of (224, 224, 3) give its layer 'dense1' 102,760,960 "
      "parameters, more than 100,000,000: take smaller images (data.image_size), or model.size "
      "= \"large\", which pools once more before that layer");
  EXPECT_THAT(refusal(1024, CnnSize::large), EndsWith("take smaller images (data.image_size)"));
  EXPECT_NO_THROW(cnn("baseline", {216, 216, 3}, 10, CnnSize::small));
  EXPECT_NO_THROW(cnn("baseline", {224, 224, 3}, 10, CnnSize::large));
  EXPECT_NO_THROW(cnn("wider", {128, 128, 3}, 10, CnnSize::small, 4)) << "as large as the mixture";
  EXPECT_THAT(error_of(Fault::user,
                       [] {
                         importance_model("i", {256, 256, 3}, 10);
                       }),
              HasSubstr("i: images of (256, 256, 3) give its layer 'dense1' 100,663,808"));
}

TEST(Models, SizesThatCannotBe) {
  for (const double width : {0.0, -1.0, 1e9, std::nan("")}) {
    EXPECT_THAT(error_of(Fault::user,
                         [&] {
                           cnn("c", {8, 8, 3}, 4, CnnSize::small, width);
                         }),
                HasSubstr("c: a width of"));
  }
  EXPECT_THAT(error_of(Fault::user, [] { chosen_group({}); }), HasSubstr("a gate without outputs"));
}

}  // namespace
}  // namespace sluice

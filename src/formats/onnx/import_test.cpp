#include "formats/onnx/import.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/random.h"
#include "formats/onnx/graph_writer.h"
#include "graph/layer_cases.h"
#include "sluice/network.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A network as another program writes it: images x of (batch, shape...) and, from add_output(), y.
struct MadeOnnx {
  explicit MadeOnnx(const Shape& shape, std::int64_t opset = 17) {
    file.set_ir_version(8);
    file.add_opset_import()->set_version(opset);
    graph.add_input("x", shape);
  }

  std::string weight(const std::string& name, const Shape& shape) {
    std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<float>((i * 7 + 3) % 11) / 11 - 0.4f;
    }
    return graph.add_tensor(name, shape, values);
  }

  std::string bytes(const std::string& output) {
    graph.add_output("y", output, onnx::TensorProto::FLOAT, {});
    return file.SerializeAsString();
  }

  onnx::ModelProto file;
  OnnxGraph graph{*file.mutable_graph(), {"y"}};
};

struct Imported {
  SavedModel saved;
  std::vector<std::string> said;
};

Imported imported(const std::string& bytes, const std::optional<PixelInput>& pixels = {}) {
  std::vector<std::string> said;
  const OnnxOptions options{.input = {6, 5, 3},
                            .pixels = pixels,
                            .say = [&](const std::string& line) { said.push_back(line); }};
  SavedModel saved = import_onnx(bytes, options, "m.onnx");
  return {std::move(saved), std::move(said)};
}

/// Reads the file as one of images of 6x5x3 pixels.
std::string refusal_of_onnx(const std::string& bytes) {
  return error_of(Fault::user, [&] { imported(bytes); });
}

std::vector<std::string> layers_in(const SavedModel& saved) {
  std::vector<std::string> names;
  for (const Layer& layer : saved.model.layers) names.emplace_back(class_name_of(layer));
  return names;
}

std::vector<float> random_image(const Shape& shape) {
  std::vector<float> image(static_cast<std::size_t>(element_count(shape)));
  const RandomStream random(3, Purpose::drawing, 1, 0);
  for (std::size_t i = 0; i < image.size(); ++i) {
    image[i] = RandomStream::unit(random.bits(static_cast<std::uint32_t>(i))[0]);
  }
  return image;
}

std::vector<float> predicted(const SavedModel& saved, const std::vector<float>& image) {
  const auto compiled =
      compile_for_inference(saved.model, saved.weights, {.batch = 1, .compute = Compute::exact});
  const auto outputs = compiled->predict(image, 1);
  return {outputs.begin(), outputs.end()};
}

/// Every layer type goes out and comes back with the same predictions. The images are less wide
/// than high, so that swapped axes show.
TEST(OnnxImport, EveryLayerOfAnExport) {
  const ScratchFolder temp;
  int number = 0;
  for (const Sequential& model : layer_cases()) {
    SCOPED_TRACE(number++);
    if (summarize(model).back().output.size() != 1) continue;
    Weights weights(model);
    weights.initialize(5, 1);
    export_onnx(temp / "m.onnx", SavedModel{model, weights, {}});
    const SavedModel saved = imported(load(temp / "m.onnx")).saved;
    const std::vector<float> image = random_image(model.input);
    EXPECT_THAT(
        predicted(saved, image),
        testing::Pointwise(testing::FloatNear(1e-5f), predicted({model, weights, {}}, image)));
  }
}

TEST(OnnxImport, ADenseLayerBehindAFlattenHasItsRowsInSluicesOrder) {
  MadeOnnx made({3, 2, 1});  // channels first: two pixels of three channels
  const std::string flat = made.graph.add_node("flat", "Flatten", {"x"}, {{"axis", 1}});
  const std::vector<float> kernel{1, 2, 3, 4, 5, 6};
  const std::string weight = made.graph.add_tensor("fc.weight", {1, 6}, kernel);
  const std::string dense =
      made.graph.add_node("fc", "Gemm", {flat, weight}, {{"transB", std::int64_t{1}}});
  const SavedModel saved = imported(made.bytes(dense)).saved;
  EXPECT_EQ(saved.model.input, (Shape{2, 1, 3}));
  ASSERT_THAT(layers_in(saved), ElementsAre("Flatten", "Dense", "Dense"));
  EXPECT_EQ(name_of(saved.model.layers[1]), "fc");
  const auto& tensor = saved.weights.tensors()[0];
  EXPECT_EQ(tensor.shape, (Shape{6, 1}));
  EXPECT_THAT(saved.weights.values(tensor), ElementsAre(1, 3, 5, 2, 4, 6));
}

TEST(OnnxImport, ABatchNormalizationOfAFlattenedImageIsOrderedToo) {
  MadeOnnx made({3, 2, 1});
  const std::string flat = made.graph.add_node("flat", "Flatten", {"x"}, {{"axis", 1}});
  std::vector<std::string> inputs{flat};
  for (const char* name : {"bn.weight", "bn.bias", "bn.mean", "bn.var"}) {
    inputs.push_back(made.graph.add_tensor(name, {6}, std::vector<float>{1, 2, 3, 4, 5, 6}));
  }
  const std::string norm = made.graph.add_node("bn", "BatchNormalization", inputs);
  const std::string dense = made.graph.add_node("fc", "Gemm", {norm, made.weight("w", {6, 2})});
  const SavedModel saved = imported(made.bytes(dense)).saved;
  ASSERT_THAT(layers_in(saved),
              ElementsAre("Flatten", "BatchNormalization", "Dense", "Activation"));
  EXPECT_THAT(saved.weights.values(saved.weights.tensors()[0]), ElementsAre(1, 3, 5, 2, 4, 6));
}

TEST(OnnxImport, PadsOfPyTorchAreNotSame) {
  const auto layers_for = [](const Shape& pads) {
    MadeOnnx made({3, 6, 6});
    const std::string conv =
        made.graph.add_node("conv", "Conv", {"x", made.weight("conv.weight", {4, 3, 3, 3})},
                            {{"strides", Shape{2, 2}}, {"pads", pads}});
    const std::string pool = made.graph.add_node("pool", "GlobalAveragePool", {conv});
    return layers_in(imported(made.bytes(made.graph.add_node("flat", "Flatten", {pool}))).saved);
  };
  EXPECT_THAT(layers_for({1, 1, 1, 1}),
              ElementsAre("ZeroPadding2D", "Conv2D", "GlobalAveragePooling2D", "Activation"));
  EXPECT_THAT(layers_for({0, 0, 1, 1}),
              ElementsAre("Conv2D", "GlobalAveragePooling2D", "Activation"));
  EXPECT_THAT(layers_for({0, 0, 0, 0}),
              ElementsAre("Conv2D", "GlobalAveragePooling2D", "Activation"));
}

/// A convolution of one pixel, and what `finish` adds to its result "conv".
template <class Finish>
std::string network_of(const Finish& finish, std::int64_t channels = 2) {
  MadeOnnx made({3, 6, 5});
  made.graph.add_node("conv", "Conv", {"x", made.weight("conv.weight", {channels, 3, 1, 1})});
  return made.bytes(finish(made.graph));
}

std::string pooled(OnnxGraph& graph, const std::string& value) {
  return graph.add_node("flat", "Flatten", {graph.add_node("pool", "GlobalAveragePool", {value})});
}

TEST(OnnxImport, FunctionsOfSeveralNodesAreOneLayer) {
  const auto function_of = [](const auto& add) {
    const Imported read =
        imported(network_of([&](OnnxGraph& graph) { return pooled(graph, add(graph)); }));
    EXPECT_THAT(layers_in(read.saved),
                ElementsAre("Conv2D", "Activation", "GlobalAveragePooling2D", "Activation"));
    return std::get<ActivationLayer>(read.saved.model.layers[1]).activation;
  };
  EXPECT_EQ(function_of([](OnnxGraph& graph) {
              return graph.add_node("m", "Mul", {graph.add_node("s", "Sigmoid", {"conv"}), "conv"});
            }),
            Activation::silu);
  EXPECT_EQ(function_of([](OnnxGraph& graph) {
              const std::string part =
                  graph.add_node("d", "Div", {"conv", graph.add_scalar("r", 1.4142135f)});
              const std::string sum = graph.add_node(
                  "a", "Add", {graph.add_node("e", "Erf", {part}), graph.add_scalar("1", 1.f)});
              return graph.add_node(
                  "h", "Mul",
                  {graph.add_node("m", "Mul", {"conv", sum}), graph.add_scalar("half", .5f)});
            }),
            Activation::gelu);
  EXPECT_EQ(
      function_of([](OnnxGraph& graph) {
        const std::string sum = graph.add_node("a", "Add", {"conv", graph.add_scalar("3", 3.f)});
        const std::string clip = graph.add_node(
            "c", "Clip", {sum, graph.add_scalar("0", 0.f), graph.add_scalar("6", 6.f)});
        return graph.add_node(
            "d", "Div", {graph.add_node("m", "Mul", {"conv", clip}), graph.add_scalar("by", 6.f)});
      }),
      Activation::hard_silu);
}

TEST(OnnxImport, AHardSigmoidOfAnotherSlopeIsScaledBefore) {
  const SavedModel saved = imported(network_of([](OnnxGraph& graph) {
                             return pooled(graph, graph.add_node("h", "HardSigmoid", {"conv"}));
                           })).saved;
  EXPECT_THAT(layers_in(saved), ElementsAre("Conv2D", "Rescaling", "Activation",
                                            "GlobalAveragePooling2D", "Activation"));
  EXPECT_NEAR(std::get<Rescaling>(saved.model.layers[1]).scale, 1.2, 1e-6);  // of ONNX's 0.2
  EXPECT_EQ(std::get<ActivationLayer>(saved.model.layers[2]).activation, Activation::hard_sigmoid);
}

TEST(OnnxImport, AGateOfAnotherValueIsAProduct) {
  const Imported read = imported(network_of([](OnnxGraph& graph) {
    const std::string other = graph.add_node("r", "Relu", {"conv"});
    const std::string gate = graph.add_node("s", "Sigmoid", {other});
    return pooled(graph, graph.add_node("m", "Mul", {"conv", gate}));
  }));
  EXPECT_THAT(layers_in(read.saved), ElementsAre("Conv2D", "Activation", "Activation", "Multiply",
                                                 "GlobalAveragePooling2D", "Activation"));
}

TEST(OnnxImport, OutputsBecomeProbabilities) {
  const Imported logits = imported(network_of([](OnnxGraph& g) { return pooled(g, "conv"); }));
  EXPECT_THAT(logits.said, ElementsAre(HasSubstr("m.onnx: its outputs are logits: a softmax is "
                                                 "added")));
  EXPECT_EQ(std::get<ActivationLayer>(logits.saved.model.layers.back()).activation,
            Activation::softmax);

  const Imported softmax = imported(
      network_of([](OnnxGraph& g) { return g.add_node("s", "Softmax", {pooled(g, "conv")}); }));
  EXPECT_THAT(softmax.said, ElementsAre());

  const Imported logarithms = imported(
      network_of([](OnnxGraph& g) { return g.add_node("s", "LogSoftmax", {pooled(g, "conv")}); }));
  EXPECT_THAT(logarithms.said, ElementsAre(HasSubstr("logarithms of probabilities")));

  const std::string sigmoid =
      network_of([](OnnxGraph& g) { return g.add_node("s", "Sigmoid", {pooled(g, "conv")}); }, 1);
  const Imported one = imported(sigmoid);
  EXPECT_THAT(one.said, ElementsAre(HasSubstr("a sigmoid, so there are two classes")));
  const std::vector<float> both = predicted(one.saved, random_image({6, 5, 3}));
  ASSERT_EQ(both.size(), 2u);
  const Imported logit = imported(network_of([](OnnxGraph& g) { return pooled(g, "conv"); }, 1));
  EXPECT_EQ(predicted(logit.saved, random_image({6, 5, 3})), both);
  SavedModel bare = one.saved;
  bare.model.layers.pop_back();
  bare.weights = Weights(bare.model);
  std::ranges::copy(one.saved.weights.values().first(3), bare.weights.values().begin());
  const float z = predicted(bare, random_image({6, 5, 3}))[0];
  EXPECT_NEAR(both[1], 1 / (1 + std::exp(-z)), 1e-6);
}

TEST(OnnxImport, ConstantsAtTheInputAreANormalization) {
  const auto with_input = [](const auto& change) {
    MadeOnnx made({3, 6, 5});
    const std::string changed = change(made.graph);
    made.graph.add_node("conv", "Conv", {changed, made.weight("conv.weight", {2, 3, 1, 1})});
    return imported(made.bytes(pooled(made.graph, "conv")));
  };
  const Imported normalized = with_input([](OnnxGraph& graph) {
    const std::vector<float> mean{0.5f, 0.4f, 0.3f};
    const std::vector<float> deviation{0.25f, 0.5f, 0.125f};
    const std::string less =
        graph.add_node("sub", "Sub", {"x", graph.add_tensor("mean", {1, 3, 1, 1}, mean)});
    return graph.add_node("div", "Div", {less, graph.add_tensor("std", {3, 1, 1}, deviation)});
  });
  const auto& layer = std::get<Normalization>(normalized.saved.model.layers.front());
  EXPECT_THAT(layer.mean,
              ElementsAre(testing::DoubleNear(0.5, 1e-6), testing::DoubleNear(0.4, 1e-6),
                          testing::DoubleNear(0.3, 1e-6)));
  EXPECT_THAT(layer.variance, ElementsAre(0.0625, 0.25, 0.015625));

  const Imported pixels = with_input([](OnnxGraph& graph) {
    return graph.add_node("div", "Div", {"x", graph.add_scalar("255", 255.f)});
  });
  EXPECT_EQ(layers_in(pixels.saved).front(), "Conv2D");
  EXPECT_THAT(pixels.said.front(), HasSubstr("pictures of 0 to 255"));
}

TEST(OnnxImport, TheOptionsSayWhatPixelsItTakes) {
  const std::string network = network_of([](OnnxGraph& graph) { return pooled(graph, "conv"); });
  const SavedModel bytes = imported(network, PixelInput{0, 255}).saved;
  const auto& rescaling = std::get<Rescaling>(bytes.model.layers.front());
  EXPECT_EQ(rescaling.scale, 255);
  EXPECT_EQ(rescaling.offset, 0);
  const SavedModel normalized =
      imported(network, PixelInput{-1, 1, {0.5, 0, 0}, {0.25, 0.5, 1}}).saved;
  const auto& layer = std::get<Normalization>(normalized.model.layers.front());
  EXPECT_THAT(layer.mean, ElementsAre(0.75, 0.5, 0.5));  // of (2x - 1 - mean) / deviation
  EXPECT_THAT(layer.variance, ElementsAre(1. / 64, 1. / 16, 1. / 4));
  EXPECT_THAT(error_of(Fault::user,
                       [&] {
                         imported(network, PixelInput{0, 1, {0.5, 0.4}});
                       }),
              HasSubstr("its pictures have 3 channels, and there are 2 numbers"));
}

TEST(OnnxImport, OpenHeightAndWidthAreTheOptions) {
  MadeOnnx made({3, 6, 5});
  auto& shape = *made.file.mutable_graph()
                     ->mutable_input(0)
                     ->mutable_type()
                     ->mutable_tensor_type()
                     ->mutable_shape();
  shape.mutable_dim(2)->set_dim_param("height");
  shape.mutable_dim(3)->set_dim_param("width");
  made.graph.add_node("conv", "Conv", {"x", made.weight("conv.weight", {2, 3, 1, 1})});
  const Imported read = imported(made.bytes(pooled(made.graph, "conv")));
  EXPECT_EQ(read.saved.model.input, (Shape{6, 5, 3}));
  EXPECT_THAT(read.said.front(),
              HasSubstr("its input is (batch, 3, ?, ?): images of 6x5 are taken"));
}

TEST(OnnxImport, NotesOfSluiceAreRead) {
  const ScratchFolder temp;
  const Sequential model{"m", {4, 4, 3}, {Flatten{"f"}, Dense{"d", 2, Activation::softmax}}};
  export_onnx(temp / "m.onnx", SavedModel{model, Weights(model), {"cat", "dog"}, Resize::crop});
  const SavedModel saved = import_onnx(temp / "m.onnx");
  EXPECT_THAT(saved.class_names, ElementsAre("cat", "dog"));
  EXPECT_EQ(saved.resize, Resize::crop);
}

/// tests/onnx has networks that PyTorch exported; tools/parity/onnx_import.py compares predictions.
TEST(OnnxImport, FilesOfPyTorchAreRead) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SLUICE_SOURCE_DIR "/tests/onnx")) {
    if (entry.path().extension() != ".onnx") continue;
    SCOPED_TRACE(entry.path().string());
    const Imported read = imported(load(entry.path()));
    EXPECT_EQ(read.saved.model.input, (Shape{12, 10, 3}));
    ++files;
  }
  EXPECT_GE(files, 10);
}

TEST(OnnxImport, WhatSluiceDoesNotComputeIsRefused) {
  const auto refused = [](const char* op,
                          const std::vector<OnnxGraph::Attribute>& attributes = {}) {
    return refusal_of_onnx(network_of(
        [&](OnnxGraph& g) { return pooled(g, g.add_node("odd", op, {"conv"}, attributes)); }));
  };
  EXPECT_EQ(refused("LRN"),
            "[onnx] m.onnx: node 'odd' (LRN) is no operation that Sluice's layers have");
  EXPECT_THAT(refused("DequantizeLinear"), HasSubstr("node 'odd' (DequantizeLinear) is quantized"));
  EXPECT_THAT(refused("Loop"), HasSubstr("is control flow"));
  EXPECT_THAT(refused("Erf"), HasSubstr("takes an Erf that is no part of a GELU"));
  EXPECT_THAT(refused("Softmax", {{"axis", 1}}), HasSubstr("softmax over axis 1"));
  EXPECT_THAT(refused("MaxPool", {{"kernel_shape", Shape{3, 3}}, {"pads", Shape{0, 1, 0, 0}}}),
              HasSubstr("may be below 0"));
  EXPECT_THAT(refused("MaxPool", {{"kernel_shape", Shape{3, 3}}, {"dilations", Shape{2, 2}}}),
              HasSubstr("dilation of 2"));
  EXPECT_THAT(refused("Transpose", {{"perm", Shape{1, 0, 2, 3}}}), HasSubstr("moves the images"));
  EXPECT_THAT(refusal_of_onnx(network_of([](OnnxGraph&) { return std::string("conv"); })),
              HasSubstr("Sluice reads classifiers"));
  MadeOnnx nothing({3, 6, 5});
  const std::string turned =
      nothing.graph.add_node("t", "Transpose", {"x"}, {{"perm", Shape{0, 2, 3, 1}}});
  EXPECT_THAT(refusal_of_onnx(nothing.bytes(turned)), HasSubstr("gives the images as they are"));
  EXPECT_THAT(refusal_of_onnx(network_of([](OnnxGraph& g) {
                const std::string pool = g.add_node("pool", "GlobalMaxPool", {"conv"});
                return pooled(g, g.add_node("gate", "Mul", {"conv", pool}));
              })),
              HasSubstr("node 'gate' (Mul) takes (batch, 2, 6, 5) and (batch, 2, 1, 1)"));
}

TEST(OnnxImport, FilesThatAreNotPlainNetworksAreRefused) {
  const auto changed = [](const auto& change) {
    onnx::ModelProto file;
    file.ParseFromString(network_of([](OnnxGraph& g) { return pooled(g, "conv"); }));
    change(file);
    return refusal_of_onnx(file.SerializeAsString());
  };
  EXPECT_THAT(changed([](auto& file) { file.mutable_opset_import(0)->set_version(8); }),
              HasSubstr("its opset is 8, and Sluice knows 9 to 28"));
  EXPECT_THAT(changed([](auto& file) { file.mutable_opset_import(0)->set_version(99); }),
              HasSubstr("its opset is 99"));
  EXPECT_THAT(
      changed([](auto& file) { *file.mutable_graph()->add_output() = file.graph().output(0); }),
      HasSubstr("it has 2 outputs"));
  EXPECT_THAT(changed([](auto& file) {
                *file.mutable_graph()->add_input() = file.graph().input(0);
                file.mutable_graph()->mutable_input(1)->set_name("z");
              }),
              HasSubstr("it has several inputs, 'x' and 'z'"));
  EXPECT_THAT(changed([](auto& file) {
                auto& tensor = *file.mutable_graph()->mutable_initializer(0);
                tensor.clear_raw_data();
                tensor.set_data_location(onnx::TensorProto::EXTERNAL);
              }),
              HasSubstr("the values of tensor 'conv.weight' are in another file"));
  EXPECT_THAT(changed([](auto& file) {
                file.mutable_graph()->mutable_initializer(0)->set_dims(0, 1'000'000);
              }),
              HasSubstr("other values than its shape (1000000, 3, 1, 1) says"));
  EXPECT_THAT(changed([](auto& file) {
                file.mutable_graph()->mutable_node(0)->set_domain("com.microsoft");
              }),
              HasSubstr("is of the domain com.microsoft"));
  EXPECT_THAT(changed([](auto& file) {
                std::string& raw =
                    *file.mutable_graph()->mutable_initializer(0)->mutable_raw_data();
                std::fill_n(raw.begin(), 4, '\xff');
              }),
              HasSubstr("NaN"));
  EXPECT_THAT(refusal_of_onnx("PK\x03\x04"),
              HasSubstr("m.onnx is a zip archive, not an ONNX model"));
}

/// A node may share a tensor with others, but not make a small file a large network.
TEST(OnnxImport, TensorsThatAreSharedTooOftenAreRefused) {
  const auto chain = [](int count) {
    return network_of(
        [&](OnnxGraph& graph) {
          const std::vector<float> kernel(3600, 0.01f);
          const std::string weight = graph.add_tensor("shared", {60, 60, 1, 1}, kernel);
          std::string value = "conv";
          for (int i = 0; i < count; ++i) {
            value = graph.add_node("conv" + std::to_string(i), "Conv", {value, weight});
          }
          return pooled(graph, value);
        },
        60);
  };
  EXPECT_EQ(imported(chain(5)).saved.model.layers.size(), 8u);
  EXPECT_THAT(refusal_of_onnx(chain(50)), HasSubstr("its nodes share tensors so often"));
}

TEST(OnnxImport, ACutFileIsRefused) {
  const std::string whole = network_of([](OnnxGraph& g) { return pooled(g, "conv"); });
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(imported(whole.substr(0, size)), Error) << size;
  }
}

}  // namespace
}  // namespace sluice

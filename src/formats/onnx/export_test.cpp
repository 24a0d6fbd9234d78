#include <onnx/checker.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "sluice/exchange.h"
#include "sluice/lab/models.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Writes, checks and reads back.
onnx::ModelProto exported(const AnyModel& model, OnnxExperts experts = OnnxExperts::all) {
  const ScratchFolder temp;
  export_onnx(temp / "m.onnx", model, experts);
  onnx::ModelProto onnx;
  EXPECT_TRUE(onnx.ParseFromString(load(temp / "m.onnx")));
  EXPECT_NO_THROW(onnx::checker::check_model(onnx));
  return onnx;
}

/// Parameters 0, 1, 2...
SavedModel counted(Sequential model, std::vector<std::string> class_names = {}) {
  Weights weights(model);
  std::iota(weights.values().begin(), weights.values().end(), 0.f);
  return {std::move(model), std::move(weights), std::move(class_names)};
}

SavedMixture mixture_for(const std::vector<Groups::Group>& groups) {
  std::vector<std::string> classes;
  for (const auto& group : groups) {
    classes.insert(classes.end(), group.classes.begin(), group.classes.end());
  }
  const Mixture model = mixture({groups, classes}, {8, 8, 3}, 3, CnnSize::small);
  return {model, MixtureWeights(model), classes, groups};
}

std::string metadata(const onnx::ModelProto& onnx, const std::string& key) {
  for (const auto& entry : onnx.metadata_props()) {
    if (entry.key() == key) return entry.value();
  }
  return "none";
}

const onnx::NodeProto& node(const onnx::ModelProto& onnx, const std::string& name) {
  for (const auto& node : onnx.graph().node()) {
    if (node.name() == name) return node;
  }
  throw std::out_of_range("no node " + name);
}

Shape attribute(const onnx::ModelProto& onnx, const std::string& node_name,
                const std::string& name) {
  for (const auto& attribute : node(onnx, node_name).attribute()) {
    if (attribute.name() != name) continue;
    return attribute.has_i() ? Shape{attribute.i()}
                             : Shape{attribute.ints().begin(), attribute.ints().end()};
  }
  return {};
}

std::vector<std::string> node_names(const onnx::ModelProto& onnx) {
  std::vector<std::string> names;
  for (const auto& node : onnx.graph().node()) names.push_back(node.name());
  return names;
}

const onnx::TensorProto& tensor(const onnx::ModelProto& onnx, const std::string& name) {
  for (const auto& tensor : onnx.graph().initializer()) {
    if (tensor.name() == name) return tensor;
  }
  throw std::out_of_range("no tensor " + name);
}

Shape shape_of(const onnx::TensorProto& tensor) {
  return {tensor.dims().begin(), tensor.dims().end()};
}

std::vector<float> values(const onnx::TensorProto& tensor) {
  std::vector<float> values(tensor.raw_data().size() / sizeof(float));
  std::memcpy(values.data(), tensor.raw_data().data(), tensor.raw_data().size());
  return values;
}

/// "images float (batch, 4, 4, 2)"
std::string declared(const onnx::ValueInfoProto& value) {
  const auto& type = value.type().tensor_type();
  std::string text = value.name() + (type.elem_type() == onnx::TensorProto::FLOAT   ? " float ("
                                     : type.elem_type() == onnx::TensorProto::INT64 ? " int64 ("
                                                                                    : " ? (");
  for (const auto& size : type.shape().dim()) {
    text += size.has_dim_param() ? size.dim_param() : ", " + std::to_string(size.dim_value());
  }
  return text + ")";
}

Sequential classifier() {
  return {"small",
          {4, 5, 2},
          {Conv2D{"conv", 3}, MaxPooling2D{"pool"}, Dropout{"drop", 0.5f}, Flatten{"flatten"},
           Dense{"dense", 4, Activation::relu}, Dense{"output", 2, Activation::softmax}}};
}

TEST(OnnxExport, AClassifier) {
  const onnx::ModelProto onnx = exported(counted(classifier(), {"cat", "dog"}));
  EXPECT_EQ(onnx.ir_version(), 8);
  ASSERT_EQ(onnx.opset_import_size(), 1);
  EXPECT_EQ(onnx.opset_import(0).domain(), "");
  EXPECT_EQ(onnx.opset_import(0).version(), 13);
  EXPECT_EQ(onnx.producer_name(), "sluice");
  EXPECT_EQ(onnx.producer_version().find_first_not_of("0123456789."), std::string::npos);
  EXPECT_EQ(metadata(onnx, "class_names"), R"(["cat","dog"])");
  EXPECT_EQ(metadata(onnx, "normalization"), R"({"scale":0.00392156862745098,"offset":0})");
  EXPECT_EQ(metadata(onnx, "groups"), "none");

  EXPECT_EQ(onnx.graph().name(), "small");
  EXPECT_EQ(onnx.graph().doc_string(),
            "Takes images (batch, 4, 5, 2), their values divided by 255, and gives probabilities "
            "(batch, 2).");
  ASSERT_EQ(onnx.graph().input_size(), 1);
  EXPECT_EQ(declared(onnx.graph().input(0)), "images float (batch, 4, 5, 2)");
  ASSERT_EQ(onnx.graph().output_size(), 1);
  EXPECT_EQ(declared(onnx.graph().output(0)), "probabilities float (batch, 2)");
  EXPECT_THAT(node_names(onnx), ElementsAre("images/channels_first", "conv", "conv/relu", "pool",
                                            "pool/channels_last", "flatten", "dense", "dense/relu",
                                            "output", "probabilities"));
  EXPECT_EQ(attribute(onnx, "images/channels_first", "perm"), (Shape{0, 3, 1, 2}));
  EXPECT_EQ(attribute(onnx, "conv", "pads"), (Shape{1, 1, 1, 1}));
  EXPECT_EQ(attribute(onnx, "pool", "kernel_shape"), (Shape{2, 2}));
  EXPECT_EQ(attribute(onnx, "pool", "strides"), (Shape{2, 2}));
  EXPECT_EQ(attribute(onnx, "pool/channels_last", "perm"), (Shape{0, 2, 3, 1}));
}

TEST(OnnxExport, ParametersHaveKerasNamesAndOnnxOrder) {
  const SavedModel saved = counted(classifier());
  const onnx::ModelProto onnx = exported(saved);
  EXPECT_EQ(onnx.graph().initializer_size(), 6);

  const onnx::TensorProto& kernel = tensor(onnx, "conv/kernel");
  ASSERT_EQ(shape_of(kernel), (Shape{3, 2, 3, 3}));
  const std::vector<float> oihw = values(kernel);
  for (int o = 0; o < 3; ++o) {
    for (int i = 0; i < 2; ++i) {
      for (int hw = 0; hw < 9; ++hw) {
        // Counted in Keras's order: height, width, in, out.
        EXPECT_EQ(oihw[(o * 2 + i) * 9 + hw], hw * 6 + i * 3 + o);
      }
    }
  }
  for (const Weights::Tensor& keras : saved.weights.tensors()) {
    if (keras.shape.size() == 4) continue;
    const onnx::TensorProto& same = tensor(onnx, keras.layer + "/" + keras.kind);
    const auto expected = saved.weights.values(keras);
    EXPECT_EQ(shape_of(same), keras.shape);
    EXPECT_EQ(values(same), std::vector<float>(expected.begin(), expected.end()));
  }
}

TEST(OnnxExport, EveryLayerWithEveryActivation) {
  const onnx::ModelProto onnx = exported(counted(
      {"odd",
       {6, 6, 1},
       {Dropout{"drop", 0.5f}, Conv2D{"even", 2, 4, Activation::relu},
        Conv2D{"linear", 3, 1, Activation::linear}, Reshape{"flat", {108}},
        Dense{"dense", 12, Activation::linear}, Reshape{"image", {2, 2, 3}}, Conv2D{"last", 5}}}));
  EXPECT_EQ(declared(onnx.graph().output(0)), "probabilities float (batch, 2, 2, 5)");
  EXPECT_THAT(node_names(onnx),
              ElementsAre("images/channels_first", "even", "even/relu", "linear",
                          "linear/channels_last", "flat", "dense", "image", "image/channels_first",
                          "last", "last/relu", "probabilities"));
  EXPECT_EQ(attribute(onnx, "even", "pads"), (Shape{1, 1, 2, 2})) << "TensorFlow's 'same'";
  EXPECT_EQ(attribute(onnx, "linear", "pads"), (Shape{0, 0, 0, 0}));
  EXPECT_THAT(tensor(onnx, "image/target").int64_data(), ElementsAre(0, 2, 2, 3));
}

TEST(OnnxExport, AnImportanceModelNeedsNoTranspose) {
  const onnx::ModelProto onnx = exported(counted(importance_model("i", {4, 4, 3}, 5)));
  EXPECT_EQ(declared(onnx.graph().output(0)), "probabilities float (batch, 5, 2)");
  EXPECT_THAT(node_names(onnx), ElementsAre("flatten", "dense1", "dense1/relu", "output",
                                            "output/softmax", "probabilities"));
}

TEST(OnnxExport, AMixture) {
  const onnx::ModelProto onnx =
      exported(mixture_for({{"natural", {"cat"}}, {"artificial", {"car"}}, {"odd", {"\xff"}}}));
  ASSERT_EQ(onnx.graph().output_size(), 2);
  EXPECT_EQ(declared(onnx.graph().output(0)), "scores float (batch, 3)");
  EXPECT_EQ(declared(onnx.graph().output(1)), "group int64 (batch)");
  EXPECT_THAT(onnx.graph().doc_string(), HasSubstr("need not sum to one"));
  EXPECT_EQ(metadata(onnx, "class_names"), "[\"cat\",\"car\",\"\xef\xbf\xbd\"]");
  EXPECT_EQ(metadata(onnx, "groups"),
            "[{\"name\":\"natural\",\"classes\":[\"cat\"]},"
            "{\"name\":\"artificial\",\"classes\":[\"car\"]},"
            "{\"name\":\"odd\",\"classes\":[\"\xef\xbf\xbd\"]}]");
  for (const char* part : {"baseline", "gate", "expert-natural", "expert-odd"}) {
    EXPECT_EQ(shape_of(tensor(onnx, std::string(part) + "/conv1.2/kernel")), (Shape{32, 32, 3, 3}));
  }
  EXPECT_EQ(shape_of(tensor(onnx, "importance-odd/dense1/kernel")), (Shape{192, 512}));

  const std::vector<std::string> names = node_names(onnx);
  EXPECT_EQ(std::count(names.begin(), names.end(), "images/channels_first"), 1);
  EXPECT_EQ(std::count(names.begin(), names.end(), "images/channels_first_2"), 0);
  // The last of equal groups is the first from behind.
  EXPECT_THAT(tensor(onnx, "chosen/backwards").int64_data(), ElementsAre(2, 1, 0));
  EXPECT_THAT(tensor(onnx, "chosen/last").int64_data(), ElementsAre(2));
  EXPECT_THAT(node(onnx, "group").input(), ElementsAre("chosen/last", "chosen/from_end"));
  EXPECT_THAT(tensor(onnx, "sub-gate-odd/baseline/column").int64_data(), ElementsAre(0));
  EXPECT_THAT(tensor(onnx, "sub-gate-odd/expert/column").int64_data(), ElementsAre(1));
  EXPECT_THAT(node(onnx, "sub-gate-odd/expert").input(),
              ElementsAre("expert-odd/output/softmax", "sub-gate-odd/expert/importance"));
  EXPECT_THAT(node(onnx, "scores").input(), ElementsAre("sub-gate-odd/is_chosen", "sub-gate-odd",
                                                        "sub-gate-artificial/or_before"));
}

TEST(OnnxExport, AMixtureOfTheChosenExpertsAlone) {
  const SavedMixture saved = mixture_for({{"a", {"cat"}}, {"b", {"car"}}, {"c", {"dog"}}});
  const onnx::ModelProto onnx = exported(saved, OnnxExperts::chosen);
  EXPECT_EQ(declared(onnx.graph().output(0)), "scores float (batch, 3)");
  EXPECT_EQ(declared(onnx.graph().output(1)), "group int64 (batch)");
  // The experts are in the branches, which add to what was before.
  EXPECT_THROW(tensor(onnx, "expert-c/conv1.2/kernel"), std::out_of_range);
  const onnx::NodeProto& last = node(onnx, "scores");
  EXPECT_EQ(last.op_type(), "If");
  EXPECT_THAT(last.input(), ElementsAre("sub-gate-c/any"));
  ASSERT_EQ(last.attribute_size(), 2);
  const onnx::GraphProto& branch = last.attribute(0).g();
  EXPECT_EQ(last.attribute(0).name(), "then_branch");
  EXPECT_GT(branch.initializer_size(), 16);
  const onnx::NodeProto& scattered = branch.node(branch.node_size() - 1);
  EXPECT_EQ(scattered.op_type(), "ScatterND");
  EXPECT_THAT(scattered.input(),
              ElementsAre("sub-gate-b/or_before", "sub-gate-c/column", "sub-gate-c"));
  ASSERT_EQ(last.attribute(1).g().node_size(), 1);
  EXPECT_EQ(last.attribute(1).g().node(0).op_type(), "Mul");
}

TEST(OnnxExport, PartsWithValuesInAnotherShape) {
  // As Sluice runs it: what counts is how many values a part gives.
  const Sequential flat{"flat", {2}, {Dense{"output", 2}}};
  const Sequential row{"row", {2}, {Dense{"output", 2}, Reshape{"reshape", {1, 2}}}};
  const Sequential four{"four", {2}, {Dense{"output", 4}}};
  const Mixture model{row, row, {{"a", flat, four}, {"b", row, four}}};
  const onnx::ModelProto onnx = exported(SavedMixture{model, MixtureWeights(model), {}, {}});
  EXPECT_EQ(declared(onnx.graph().output(0)), "scores float (batch, 2)");
  EXPECT_THAT(tensor(onnx, "gate/shape/target").int64_data(), ElementsAre(0, 2));
  EXPECT_THAT(tensor(onnx, "importance-a/shape/target").int64_data(), ElementsAre(0, 2, 2));
  EXPECT_THAT(tensor(onnx, "expert-b/shape/target").int64_data(), ElementsAre(0, 2));
  EXPECT_THROW(tensor(onnx, "expert-a/shape/target"), std::out_of_range);
}

TEST(OnnxExport, NamesThatAreTakenGetANumber) {
  const onnx::ModelProto onnx =
      exported(counted({"",
                        {3},
                        {Dense{"images", 3}, Dense{"probabilities", 3, Activation::softmax},
                         Dense{"b?", 3}, Dense{"b\xff", 3}}}));
  EXPECT_EQ(declared(onnx.graph().input(0)), "images float (batch, 3)");
  EXPECT_EQ(declared(onnx.graph().output(0)), "probabilities float (batch, 3)");
  EXPECT_THAT(node_names(onnx), ElementsAre("images_2", "probabilities_2", "probabilities/softmax",
                                            "b?", "probabilities"));
  EXPECT_EQ(values(tensor(onnx, "b?/kernel_2"))[0], 36) << "after three kernels and biases";
}

TEST(OnnxExport, UnknownClassNamesAreLeftOut) {
  EXPECT_EQ(metadata(exported(counted(classifier())), "class_names"), "none");
}

TEST(OnnxExport, MoreThanProtobufCanWriteIsRefused) {
  const ScratchFolder temp;
  // The weights stay small: only what is declared is counted before anything is made.
  SavedModel saved = counted(classifier());
  saved.model = {"huge", {10'000}, {Dense{"output", 60'000}}};
  const std::string what =
      error_of(Fault::user, [&] { export_onnx(temp / "m.onnx", std::move(saved)); });
  EXPECT_THAT(what, HasSubstr("m.onnx: the model takes 2400240000 bytes, and an ONNX file can have "
                              "2147483647"));
  EXPECT_TRUE(std::filesystem::is_empty(temp.path()));
}

TEST(OnnxExport, WhereItCannotBeWritten) {
  const ScratchFolder temp;
  const std::string what =
      error_of(Fault::user, [&] { export_onnx(temp / "none" / "m.onnx", counted(classifier())); });
  EXPECT_THAT(what, HasSubstr("none/m.onnx: cannot be written"));
}

}  // namespace
}  // namespace sluice

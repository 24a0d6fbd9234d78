#include "formats/keras/config_reader.h"

#include "formats/text/json_text.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

constexpr const char* kInputLayer =
    R"({"class_name":"InputLayer","config":{"name":"in","batch_shape":[null,8,8,3]}})";

std::string layer(const std::string& type, const std::string& name, const std::string& config) {
  return R"({"class_name":")" + type + R"(","config":{"name":")" + name + "\"" +
         (config.empty() ? "" : "," + config) + "}}";
}
std::string conv(const std::string& config) {
  return layer(
      "Conv2D", "conv1",
      R"("filters":2,"kernel_size":[3,3],"padding":"same")" + (config.empty() ? "" : "," + config));
}

DeclaredModel read_layers(const std::vector<std::string>& layers) {
  std::string list = kInputLayer;
  for (const std::string& each : layers) list += "," + each;
  return read_declared(
      parse_json(R"({"class_name":"Sequential","config":{"name":"m","layers":[)" + list + "]}}", 20,
                 "keras", "f"),
      "f");
}

/// The message less "[keras] f: layer 'conv1' has ".
std::string refused(const std::vector<std::string>& layers,
                    const std::string& common = "[keras] f: layer '") {
  const std::string what = error_of(Fault::user, [&] { read_layers(layers); });
  EXPECT_EQ(what.rfind(common, 0), 0u) << what;
  return what.substr(std::min(what.size(), common.size()));
}

const std::string kFlatten = layer("Flatten", "flat", "");

TEST(KerasDeclared, SettingsThatSluiceCannotCompute) {
  const auto has = [](const std::string& setting) {
    return refused({conv(setting)}, "[keras] f: layer 'conv1' has ");
  };
  EXPECT_EQ(has(R"("dilation_rate":[1,2])"), "dilation_rate (1, 2); Sluice computes (1, 1)");
  EXPECT_EQ(has(R"("groups":2)"), "groups 2; Sluice computes 1");
  EXPECT_EQ(has(R"("use_bias":1)"), "use_bias 1, which is no bool");
  EXPECT_EQ(has(R"("dilation_rate":[2,2])"), "dilation_rate (2, 2); Sluice computes (1, 1)");
  EXPECT_EQ(has(R"("strides":[0,1])"), "strides (0, 1), which is no size of two axes");
  EXPECT_EQ(has(R"("data_format":"channels_first")"),
            "data_format \"channels_first\"; Sluice computes \"channels_last\"");
  EXPECT_THAT(
      has(R"("activation":"my_own")"),
      testing::StartsWith("activation \"my_own\"; Sluice computes linear, relu, softmax, "));
  EXPECT_EQ(
      refused({conv(R"("activation":"softmax")")}),
      "conv1' does not fit: has a softmax over one axis of (8, 8, 2): put a Flatten before it");
  EXPECT_EQ(refused({layer("Conv2D", "c", R"("filters":2,"kernel_size":3,"padding":"causal")")}),
            "c' has padding \"causal\"; Sluice computes valid and same");
  EXPECT_EQ(refused({layer("Conv2D", "c", R"("filters":2,"kernel_size":[3,3,3])")}),
            "c' has kernel_size (3, 3, 3), which is no size of two axes");
  EXPECT_EQ(refused({layer("BatchNormalization", "b", R"("axis":1)")}),
            "b' has axis 1; Sluice computes the last");
  EXPECT_EQ(refused({layer("BatchNormalization", "b", R"("epsilon":-1)")}),
            "b' does not fit: epsilon must be above 0 and at most 1, not -1");
  EXPECT_EQ(refused({layer("ZeroPadding2D", "z", R"("padding":[[1,2],[-1,0]])")}),
            "z' has padding ((1, 2), (-1, 0)), which are no margins");
  EXPECT_EQ(refused({layer("Normalization", "n", R"("axis":[-1],"mean":[1,2],"variance":1)")}),
            "n' has mean (1, 2); Sluice computes one number for each of 3 channels");
  EXPECT_EQ(refused({layer("Dropout", "d", R"("rate":1.5)")}),
            "d' has rate 1.5; Sluice computes 0 up to but not 1");
  EXPECT_EQ(refused({layer("Dropout", "d", R"("rate":0.5,"noise_shape":[null,1])")}),
            "d' has noise_shape (None, 1); Sluice computes None");
  EXPECT_EQ(refused({kFlatten, layer("Reshape", "r", R"("target_shape":[5,-1])")}),
            "r' has target_shape (5, -1), which (192) cannot become");
}

TEST(KerasDeclared, LayersThatSluiceHasNot) {
  EXPECT_THAT(refused({conv(""), layer("LSTM", "l", "")}),
              testing::StartsWith("l' is a LSTM; Sluice computes Conv2D, MaxPooling2D, Dropout, "));
  EXPECT_EQ(refused({conv(""), layer("ReLU", "r", R"("max_value":3.0)")}),
            "r' has max_value 3.0; Sluice computes None or 6");
}

TEST(KerasDeclared, LayersThatDoNothingAtInferenceAreLeftOut) {
  const DeclaredModel declared =
      read_layers({layer("RandomFlip", "flip", R"("mode":"horizontal")"),
                   layer("Resizing", "size", R"("height":8,"width":8)"),
                   layer("Rescaling", "s", R"("scale":0.00392156862745098,"offset":0.0)"), conv(""),
                   layer("GaussianNoise", "noise", R"("stddev":0.1)"), kFlatten});
  EXPECT_EQ(declared.model.layers.size(), 2u);
  EXPECT_EQ(declared.remarks,
            std::vector<std::string>{"f: layers that do nothing at inference are left out: 'flip' "
                                     "(RandomFlip), 'size' (Resizing), 'noise' (GaussianNoise)"});
  EXPECT_THAT(refused({layer("Resizing", "size", R"("height":4,"width":8)")}),
              testing::StartsWith("size' is a Resizing; Sluice computes "));
}

TEST(KerasDeclared, RescalingOfPixelsFollowsADivisionBy255) {
  const auto first = [](const std::string& config) {
    return read_layers({layer("Rescaling", "s", config), kFlatten});
  };
  EXPECT_EQ(first(R"("scale":0.00392156862745098,"offset":0.0)").model.layers.size(), 1u);
  const DeclaredModel centred = first(R"("scale":0.00784313725490196,"offset":-1)");
  EXPECT_NEAR(std::get<Rescaling>(centred.model.layers[0]).scale, 2, 1e-9);
  EXPECT_EQ(std::get<Rescaling>(centred.model.layers[0]).offset, -1);
  ASSERT_EQ(centred.remarks.size(), 1u);
  EXPECT_THAT(centred.remarks[0], HasSubstr("'s' takes pictures of 0 to 255"));
  const DeclaredModel of_units = first(R"("scale":2,"offset":-1)");
  EXPECT_EQ(std::get<Rescaling>(of_units.model.layers[0]).scale, 2);
  EXPECT_TRUE(of_units.remarks.empty());
  const DeclaredModel later = read_layers(
      {conv(""), layer("Rescaling", "s", R"("scale":0.00784313725490196,"offset":-1)")});
  EXPECT_NEAR(std::get<Rescaling>(later.model.layers[1]).scale, 2 / 255.0, 1e-9);
}

TEST(KerasDeclared, ASecondRescalingIsALayer) {
  const std::string scale = R"("scale":0.00392156862745098,"offset":0.0)";
  const DeclaredModel declared =
      read_layers({layer("Rescaling", "a", scale), layer("Rescaling", "b", scale), kFlatten});
  ASSERT_EQ(declared.model.layers.size(), 2u);
  EXPECT_NEAR(std::get<Rescaling>(declared.model.layers[0]).scale, 1 / 255.0, 1e-9);
}

TEST(KerasDeclared, NormalizationOfPixels) {
  const auto first = [](const std::string& numbers) {
    DeclaredModel declared =
        read_layers({layer("Normalization", "n", R"("axis":[-1],)" + numbers)});
    return std::pair(std::get<Normalization>(declared.model.layers[0]), declared.remarks.size());
  };
  const auto [of_bytes, said] = first(R"("mean":[51,102,0],"variance":65025)");
  EXPECT_DOUBLE_EQ(of_bytes.mean[1], 0.4);
  EXPECT_DOUBLE_EQ(of_bytes.variance[2], 1);
  EXPECT_EQ(said, 1u);
  const auto [of_units, silent] = first(R"("mean":[0.5,0.4,0.3],"variance":0.06)");
  EXPECT_EQ(of_units.mean[1], 0.4);
  EXPECT_EQ(silent, 0u);
}

TEST(KerasDeclared, ArithmeticWithNumbers) {
  const auto read_graph = [](const std::string& type, const std::string& arguments) {
    const std::string config =
        R"({"class_name":"Functional","config":{"name":"m","output_layers":["op",0,0],"layers":[)" +
        std::string(kInputLayer) + R"(,{"module":"keras.src.ops.numpy","class_name":")" + type +
        R"(","name":"op","config":{"name":"op"},"inbound_nodes":[{"args":[)" + arguments +
        R"(],"kwargs":{}}]}]}})";
    return read_declared(parse_json(config, 30, "keras", "f"), "f");
  };
  const std::string x =
      R"({"class_name":"__keras_tensor__","config":{"keras_history":["in",0,0]}})";
  const auto scaled = [&](const std::string& type, const std::string& arguments) {
    const auto layer = std::get<Rescaling>(read_graph(type, arguments).model.layers.at(0));
    return std::pair(layer.scale, layer.offset);
  };
  EXPECT_EQ(scaled("Multiply", x + ",2.0"), std::pair(2.0, 0.0));
  EXPECT_EQ(scaled("Subtract", "1.0," + x), std::pair(-1.0, 1.0));
  EXPECT_EQ(scaled("Subtract", x + ",0.5"), std::pair(1.0, -0.5));
  EXPECT_EQ(scaled("TrueDivide", x + ",0.5"), std::pair(2.0, 0.0));
  EXPECT_NEAR(scaled("TrueDivide", x + ",127.5").first, 2, 1e-12);
  EXPECT_EQ(scaled("Subtract", x + ",127.5"), std::pair(255.0, -127.5));
  const DeclaredModel channels = read_graph("Subtract", x + ",[0.5,0.4,0.3]");
  EXPECT_EQ(std::get<Normalization>(channels.model.layers.at(0)).mean,
            (std::vector<double>{0.5, 0.4, 0.3}));
  for (const auto& [type, arguments] : {std::pair<std::string, std::string>{"TrueDivide", x + ",0"},
                                        {"TrueDivide", "1.0," + x},
                                        {"Multiply", x + ",[1,2]"},
                                        {"Subtract", x + "," + x},
                                        {"Maximum", x + ",0.5"}}) {
    EXPECT_THAT(error_of(Fault::user,
                         [&, type = type, arguments = arguments] { read_graph(type, arguments); }),
                HasSubstr("layer 'op' is the operation "))
        << type;
  }
}

TEST(KerasDeclared, PicturesOfOtherShapes) {
  const auto of_shape = [](const std::string& shape) {
    return read_declared(
        parse_json(
            R"({"class_name":"Sequential","config":{"name":"m","layers":[{"class_name":"InputLayer","config":{"name":"in","batch_shape":[null,)" +
                shape + R"(]}},)" + layer("Activation", "a", R"("activation":"relu")") + "]}}",
            20, "keras", "f"),
        "f");
  };
  const DeclaredModel square = of_shape("784");
  EXPECT_EQ(square.model.input, (Shape{28, 28, 1}));
  EXPECT_EQ(summarize(square.model).back().output, (Shape{784}));
  EXPECT_EQ(square.remarks[0], "f: its input of (784) is taken for pictures of (28, 28, 1)");
  EXPECT_EQ(of_shape("3072").model.input, (Shape{32, 32, 3}));
  EXPECT_EQ(of_shape("28,20").model.input, (Shape{28, 20, 1}));
  EXPECT_EQ(of_shape("50").model.input, (Shape{50}));
  EXPECT_EQ(of_shape("16").model.input, (Shape{16})) << "no picture is so small";
}

TEST(KerasDeclared, PixelsThatTheUserDescribes) {
  const auto layers = [](const PixelInput& pixels) {
    return read_declared(
               parse_json(R"({"class_name":"Sequential","config":{"name":"m","layers":[)" +
                              std::string(kInputLayer) + "," +
                              layer("Rescaling", "s", R"("scale":0.00392156862745098,"offset":0)") +
                              "]}}",
                          20, "keras", "f"),
               "f", {.pixels = pixels})
        .model.layers;
  };
  const std::vector<Layer> bytes = layers({0, 255, {}, {}});
  ASSERT_EQ(bytes.size(), 2u) << "the file's own is as written";
  EXPECT_EQ(std::get<Rescaling>(bytes[0]).scale, 255);
  const std::vector<Layer> centred = layers({-1, 1, {0.5}, {0.25, 0.5, 1}});
  ASSERT_EQ(centred.size(), 3u);
  EXPECT_EQ(std::get<Rescaling>(centred[0]).offset, -1);
  EXPECT_EQ(std::get<Normalization>(centred[1]).mean, (std::vector<double>{0.5, 0.5, 0.5}));
  EXPECT_EQ(std::get<Normalization>(centred[1]).variance, (std::vector<double>{0.0625, 0.25, 1}));
  EXPECT_EQ(error_of(Fault::user,
                     [&] {
                       layers({0, 1, {1, 2}, {}});
                     }),
            "[import] f: its pictures have 3 channels, and there are 2 numbers of the mean or of "
            "the deviation: give one of each channel, or one for all");
}

TEST(KerasDeclared, LayersKeepTheirPlacesAndKeys) {
  const DeclaredModel declared = read_layers(
      {layer("Rescaling", "s", R"("scale":0.00392156862745098,"offset":0.0)"), conv(""),
       layer("Activation", "a", R"("activation":"relu")"), kFlatten,
       layer("Dense", "d1", R"("units":4,"activation":{"class_name":"function","config":"relu"})"),
       layer("Dense", "d2", R"("units":6)"), layer("Softmax", "sm", R"("axis":-1)"),
       layer("Reshape", "r", R"("target_shape":[-1,2])")});
  ASSERT_EQ(declared.model.layers.size(), 7u) << "without the Rescaling";
  EXPECT_EQ(std::get<Conv2D>(declared.model.layers[0]).activation, Activation::linear);
  EXPECT_EQ(std::get<ActivationLayer>(declared.model.layers[1]).activation, Activation::relu);
  EXPECT_EQ(std::get<Dense>(declared.model.layers[3]).activation, Activation::relu);
  EXPECT_EQ(std::get<ActivationLayer>(declared.model.layers[5]).activation, Activation::softmax);
  EXPECT_EQ(std::get<Reshape>(declared.model.layers[6]).target, (Shape{3, 2}));
  ASSERT_EQ(declared.weighted.size(), 3u);
  EXPECT_EQ(declared.weighted[2].key, "dense_1");
  EXPECT_EQ(declared.weighted[2].name, "d2");
}

TEST(KerasDeclared, LayersThatAreNotTrainable) {
  EXPECT_TRUE(read_layers({conv(R"("trainable":true)"), kFlatten}).model.frozen.empty());
  const std::string norm = layer("BatchNormalization", "a/b", R"("trainable":false)");
  EXPECT_EQ(read_layers({conv(R"("trainable":false)"), norm, kFlatten}).model.frozen,
            (std::set<std::string>{"a_b", "conv1"}));
  EXPECT_EQ(refused({conv(R"("trainable":3)")}), "conv1' has trainable 3, which is no bool");
}

TEST(KerasDeclared, NamesThatFilesCannotHave) {
  const std::string flatten = layer("Flatten", "", "");
  const DeclaredModel declared = read_layers(
      {layer("Conv2D", "conv1/1", R"("filters":2,"kernel_size":3,"padding":"same")"),
       layer("Conv2D", "conv1_1", R"("filters":2,"kernel_size":3,"padding":"same")"),
       layer("Conv2D", R"(a\nb \"\u00f6l)", R"("filters":2,"kernel_size":3,"padding":"same")"),
       flatten, layer("Dense", std::string(300, 'n'), R"("units":4)"),
       layer("Dense", std::string(299, 'n'), R"("units":4)")});
  std::vector<std::string> names;
  for (const LayerSummary& each : summarize(declared.model)) names.push_back(each.name);
  EXPECT_EQ(names, (std::vector<std::string>{"conv1_1", "conv1_1_2", "a_b___l", "flatten",
                                             std::string(128, 'n'), std::string(126, 'n') + "_2"}));
  ASSERT_EQ(declared.weighted.size(), 5u);
  EXPECT_EQ(declared.weighted[0].path, "conv1/1") << "as it is in the file";
  ASSERT_EQ(declared.remarks.size(), 1u);
  EXPECT_THAT(declared.remarks[0],
              testing::StartsWith("f: layers got names that are distinct and have only letters, "
                                  "digits, '_', '.' and '-', 128 at most: 'conv1/1' is 'conv1_1', "
                                  "'conv1_1' is 'conv1_1_2', 'a?b \"\xc3\xb6l' is 'a_b___l', "));
  EXPECT_TRUE(read_layers({layer("Conv2D", "conv1.1-a_B",
                                 R"("filters":2,"kernel_size":3,"padding":"same")")})
                  .remarks.empty());
}

TEST(KerasDeclared, Precisions) {
  const auto dense = [](const std::string& type) {
    return layer("Dense", "d", R"("units":4,"dtype":)" + type);
  };
  EXPECT_TRUE(read_layers({kFlatten, dense(R"("float32")")}).remarks.empty());
  EXPECT_EQ(
      read_layers(
          {kFlatten, dense(R"({"class_name":"DTypePolicy","config":{"name":"mixed_float16"}})")})
          .remarks,
      std::vector<std::string>{"f: Keras computes it in mixed_float16, Sluice in float32"});
  const std::string quantized =
      "d' is quantized (int8): Sluice computes in float32: save the model as it was before "
      "quantize()";
  EXPECT_EQ(refused({kFlatten,
                     dense(R"({"class_name":"QuantizedDTypePolicy","config":{"mode":"int8"}})")}),
            quantized);
}

TEST(KerasDeclared, ActivationsOfTheirOwn) {
  const DeclaredModel declared =
      read_layers({layer("ReLU", "first", ""), conv(R"("activation":"relu")"),
                   layer("ReLU", "again", ""), layer("ReLU", "six", R"("max_value":6.0)"),
                   layer("Activation", "none", R"("activation":"linear")")});
  ASSERT_EQ(declared.model.layers.size(), 5u);
  const auto activation = [&](std::size_t place) {
    return std::get<ActivationLayer>(declared.model.layers[place]).activation;
  };
  EXPECT_EQ(activation(0), Activation::relu);
  EXPECT_EQ(activation(3), Activation::relu6);
  EXPECT_EQ(activation(4), Activation::linear);
}

TEST(KerasDeclared, SlopesOfLeakyReLU) {
  const DeclaredModel declared = read_layers({layer("LeakyReLU", "a", R"("negative_slope":0.1)"),
                                              layer("LeakyReLU", "b", R"("alpha":0.4)"),
                                              layer("LeakyReLU", "c", ""), kFlatten});
  const auto slope = [&](std::size_t place) {
    return std::get<LeakyReLU>(declared.model.layers[place]).negative_slope;
  };
  EXPECT_EQ(slope(0), 0.1);
  EXPECT_EQ(slope(1), 0.4) << "as Keras 2 names it";
  EXPECT_EQ(slope(2), 0.3) << "Keras's default";
}

TEST(KerasDeclared, ShapesAreHandedOn) {
  const auto reshape = [](const std::string& target) {
    return layer("Reshape", "r", R"("target_shape":)" + target);
  };
  const DeclaredModel declared =
      read_layers({reshape("[4,16,3]"), conv(""), kFlatten, layer("Dense", "d", R"("units":4)")});
  EXPECT_EQ(summarize(declared.model)[1].output, (Shape{4, 16, 2}));
}

TEST(KerasDeclared, SizesOfAStranger) {
  EXPECT_EQ(refused({layer("Conv2D", "c",
                           R"("filters":16777216,"kernel_size":[1024,1024],"padding":"same")")}),
            "c' does not fit: filters must be from 1 to 65536, not 16777216");
  EXPECT_EQ(
      refused({layer("Conv2D", "c", R"("filters":65536,"kernel_size":[64,64],"padding":"same")"),
               layer("Conv2D", "d", R"("filters":65536,"kernel_size":3,"padding":"same")")}),
      "d' is larger than Sluice computes");
  EXPECT_THAT(refused({layer("Dense", "d", R"("units":-1)")}),
              HasSubstr("d' has units -1, which is no size"));
  EXPECT_THAT(refused({layer("Dense", "d", R"("units":99999999999)")}), HasSubstr("is no size"));
  EXPECT_THAT(refused({layer("Dense", "d", R"("units":2.5)")}), HasSubstr("is no size"));
  EXPECT_EQ(refused({layer("Dense", "d", R"("units":2)")}),
            "d' does not fit: takes one axis, not (8, 8, 3): put a Flatten before it");
  EXPECT_EQ(refused({layer("MaxPooling2D", "p", R"("pool_size":9)")}),
            "p' does not fit: a window of 9x9 does not fit into (8, 8, 3): use larger images");
  EXPECT_EQ(refused({kFlatten, kFlatten}), "flat' has the name of another layer");
  EXPECT_THAT(refused({kInputLayer}), HasSubstr("in' has the name of another layer"));
}

TEST(KerasDeclared, WhatIsNoModel) {
  const auto refused = [](const std::string& json) {
    return error_of(Fault::user, [&] { read_declared(parse_json(json, 20, "keras", "f"), "f"); });
  };
  EXPECT_EQ(refused("{}"), "[keras] f: its configuration has no list of layers");
  EXPECT_EQ(refused("3"), "[keras] f: its configuration has no list of layers");
  EXPECT_THAT(refused(R"({"class_name":"Odd","config":{"layers":[]}})"), HasSubstr("it is a Odd"));
  EXPECT_EQ(refused(R"({"class_name":"Sequential","config":{"layers":[]}})"),
            "[keras] f: it has no layers");
  EXPECT_EQ(refused(R"({"class_name":"Sequential","config":{"layers":[1]}})"),
            "[keras] f: a layer has no class_name and config");
  EXPECT_THAT(
      refused(
          R"({"class_name":"Sequential","config":{"layers":[{"class_name":"InputLayer","config":{"name":"i","batch_shape":[null,null,8,3]}}]}})"),
      HasSubstr("its input has the shape (None, None, 8, 3): Sluice needs all sizes but the "
                "batch's: build it for one size, such as (32, 32, 3), and save it again"));
  EXPECT_THAT(refused(R"({"class_name":"Functional","config":{"layers":[]}})"),
              HasSubstr("the model has 0 outputs, and Sluice reads models of one"));
  EXPECT_THAT(
      refused(
          R"({"class_name":"Functional","config":{"output_layers":{"a":["a",0,0],"b":["b",0,0]},"layers":[]}})"),
      HasSubstr("the model has 2 outputs"));
  EXPECT_THAT(
      refused(
          R"({"class_name":"Functional","config":{"output_layers":["a",0,0],"layers":[{"name":"a","class_name":"Flatten","config":{"name":"a"},"inbound_nodes":[[["a",0,0,{}]]]}]}})"),
      HasSubstr("the layers' connections lead to 'a', which cannot be"));
  EXPECT_THAT(
      refused(
          R"({"class_name":"Functional","config":{"output_layers":["a",0,0],"layers":[{"name":"a","class_name":"Add","config":{"name":"a"},"inbound_nodes":[[["b",0,0,{}],["c",0,0,{}]]]}]}})"),
      HasSubstr("the layers' connections lead to 'b', which cannot be"));
}

}  // namespace
}  // namespace sluice

#include "sluice/model_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "formats/model/declaration.h"
#include "formats/model/model_file_testing.h"
#include "formats/safetensors/safetensors_testing.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

class ModelFile : public testing::Test {
 protected:
  /// Returns the error for a file with other metadata, without a digest as in earlier versions,
  /// because the digest is checked first. The path becomes F.
  std::string refusal(const std::function<void(TensorMetadata&)>& change,
                      const AnyModel& model = saved_network()) {
    write_model(file_, model);
    const Safetensors whole = Safetensors::read(file_);
    TensorMetadata metadata = without_digest(whole.metadata());
    change(metadata);
    return refusal_of(written_again(whole, metadata));
  }

  std::string refusal_of(const std::string& bytes) {
    write_file(file_, bytes);
    std::string message = error_of(Fault::user, [&] { read_model(file_); });
    const std::size_t at = message.find(file_.string());
    EXPECT_NE(at, std::string::npos) << message;
    return at == std::string::npos ? message : message.replace(at, file_.string().size(), "F");
  }

  /// Returns the error for a file with another declared model.
  std::string refusal_of_model(const std::function<void(nlohmann::json&)>& change,
                               const AnyModel& model = saved_network()) {
    return refusal(
        [&](TensorMetadata& metadata) {
          nlohmann::json json = nlohmann::json::parse(metadata["model"]);
          change(json);
          metadata["model"] = json.dump();
        },
        model);
  }

  static TensorMetadata without_digest(TensorMetadata metadata) {
    metadata.erase("sha256");
    metadata["format"] = "sluice 2";
    return metadata;
  }

  /// Returns the error of write_model(), which must leave no file.
  std::string refusal_to_write(const AnyModel& model) {
    std::filesystem::remove(file_);
    const std::string message = error_of(Fault::user, [&] { write_model(file_, model); });
    EXPECT_FALSE(std::filesystem::exists(file_));
    return message;
  }

  ScratchFolder folder_;
  const std::filesystem::path file_ = folder_ / "model.safetensors";
};

bool same_values(const Weights& a, const Weights& b) {
  return std::ranges::equal(a.values(), b.values());
}

TEST_F(ModelFile, KnowsHowPicturesAreResized) {
  SavedModel saved = saved_network();
  write_model(file_, saved);
  EXPECT_FALSE(Safetensors::read(file_).metadata().contains("resize")) << "as in earlier versions";
  saved.resize = Resize::crop;
  write_model(file_, saved);
  EXPECT_EQ(std::get<SavedModel>(read_model(file_)).resize, Resize::crop);
  SavedMixture mixture = saved_mixture();
  mixture.resize = Resize::pad;
  write_model(file_, mixture);
  EXPECT_EQ(std::get<SavedMixture>(read_model(file_)).resize, Resize::pad);
  for (const char* wrong : {"\"zoom\"", "3", "[\"pad\"]"}) {
    EXPECT_THAT(refusal([&](TensorMetadata& metadata) { metadata["resize"] = wrong; }),
                HasSubstr("resize in its metadata must be \"stretch\", \"crop\" or \"pad\""));
  }
}

TEST_F(ModelFile, KnowsWhetherPicturesAreTurned) {
  SavedModel saved = saved_network();
  write_model(file_, saved);
  EXPECT_FALSE(Safetensors::read(file_).metadata().contains("exif_orientation"));
  EXPECT_TRUE(std::get<SavedModel>(read_model(file_)).exif_orientation);
  saved.exif_orientation = false;
  write_model(file_, saved);
  EXPECT_FALSE(std::get<SavedModel>(read_model(file_)).exif_orientation);
  EXPECT_THAT(refusal([&](TensorMetadata& metadata) { metadata["exif_orientation"] = "3"; }),
              HasSubstr("exif_orientation in its metadata must be true or false"));
}

TEST_F(ModelFile, ANetworkComesBackWhole) {
  const SavedModel saved = saved_network();
  write_model(file_, saved);
  const auto back = std::get<SavedModel>(read_model(file_));
  EXPECT_EQ(to_declaration(back.model), to_declaration(saved.model));
  EXPECT_EQ(back.class_names, saved.class_names);
  EXPECT_TRUE(same_values(back.weights, saved.weights));
}

TEST_F(ModelFile, AMixtureComesBackWhole) {
  const SavedMixture saved = saved_mixture();
  write_model(file_, saved);
  const auto back = std::get<SavedMixture>(read_model(file_));
  EXPECT_EQ(to_declaration(back.model), to_declaration(saved.model));
  EXPECT_EQ(back.class_names, saved.class_names);
  ASSERT_EQ(back.groups.size(), 2u);
  EXPECT_EQ(back.groups[1].name, "right");
  EXPECT_EQ(back.groups[1].classes, (std::vector<std::string>{"b", "c"}));
  const auto written = saved.weights.parts();
  const auto read = back.weights.parts();
  ASSERT_EQ(written.size(), read.size());
  for (std::size_t i = 0; i < written.size(); ++i) {
    EXPECT_TRUE(same_values(*written[i], *read[i])) << i;
  }
}

TEST_F(ModelFile, OtherProgramsFindTensorsAndNotes) {
  write_model(file_, saved_mixture());
  const Safetensors file = Safetensors::read(file_);
  for (const char* name : {"baseline/conv1.1/kernel", "gate/output/bias",
                           "expert-left/output/kernel", "importance-right/dense1/bias"}) {
    EXPECT_NE(file.find(name), nullptr) << name;
  }
  EXPECT_EQ(file.find("baseline/conv1.1/kernel")->shape, (Shape{3, 3, 3, 2}));
  EXPECT_EQ(file.metadata().at("class_names"), R"(["a","b","c"])");
  EXPECT_EQ(file.metadata().at("groups"),
            R"([{"name":"left","classes":["a"]},{"name":"right","classes":["b","c"]}])");
  EXPECT_EQ(file.metadata().at("normalization"), R"({"scale":0.00392156862745098,"offset":0})");
}

TEST_F(ModelFile, EveryLayerAndSettingIsDeclared) {
  const Sequential odd{
      "odd",
      {8, 8, 1},
      {Conv2D{"a", 3, 5, Activation::linear}, MaxPooling2D{"b", 4}, Dropout{"c", 0.1f},
       Flatten{"d"}, Dense{"e", 6, Activation::relu}, Reshape{"f", {3, 2}}}};
  EXPECT_EQ(to_declaration(sequential_of(to_declaration(odd), "here")), to_declaration(odd));
}

TEST_F(ModelFile, FilesOfOtherProgramsAndVersions) {
  EXPECT_THAT(refusal([](auto& metadata) { metadata.clear(); }),
              HasSubstr("F is not a Sluice model: its metadata has no format"));
  EXPECT_EQ(refusal([](auto& metadata) { metadata["format"] = "sluice 9"; }),
            "[model] F has the format 'sluice 9', not 'sluice 3': use the sluice that wrote it");
  write_model(file_, saved_network());
  const std::string whole = read_file(file_, 100'000);
  EXPECT_THAT(refusal_of(whole.substr(0, whole.size() - 1)), HasSubstr("[safetensors] F"));
}

TEST_F(ModelFile, EveryByteThatIsChangedIsRefusedOrChangesNothing) {
  const AnyModel models[] = {saved_network(), saved_mixture()};
  for (const AnyModel& model : models) {
    write_model(file_, model);
    const std::string whole = read_file(file_, 1'000'000);
    const std::size_t header = whole.find("}}") + 2;
    ASSERT_LT(header, whole.size());
    const std::filesystem::path other = folder_ / "other";
    int opened = 0;
    const std::size_t step = std::holds_alternative<SavedModel>(model) ? 1 : 13;
    for (std::size_t at = 0; at < whole.size(); at += at < header ? step : 61 * step) {
      for (const int flip : {0x01, 0x20}) {
        std::string bytes = whole;
        bytes[at] = static_cast<char>(bytes[at] ^ flip);
        save(other, bytes);
        try {
          const AnyModel read = read_model(other);
          ++opened;
          write_model(other, read);
          ASSERT_TRUE(load(other) == whole) << "another model, byte " << at;
        } catch (const Error& error) {
          ASSERT_EQ(error.fault(), Fault::user) << error.what();
        }
      }
    }
    EXPECT_LT(opened, 20) << "such as a blank that JSON takes for another";
  }
}

TEST_F(ModelFile, ChangedWeightsAndNamesAreTold) {
  write_model(file_, saved_network());
  const Safetensors whole = Safetensors::read(file_);
  std::string bytes = load(file_);
  bytes.back() ^= 1;
  const std::string changed =
      "[model] F was changed or damaged: its SHA-256 does not match its content: copy it "
      "again, or train or import the model again";
  EXPECT_EQ(refusal_of(bytes), changed);
  TensorMetadata metadata = whole.metadata();
  metadata["class_names"] = R"(["b","a","c"])";
  EXPECT_EQ(refusal_of(written_again(whole, metadata)), changed);
  metadata = whole.metadata();
  metadata["more"] = "";
  EXPECT_EQ(refusal_of(written_again(whole, metadata)), changed);
  metadata = whole.metadata();
  metadata.erase("sha256");
  EXPECT_THAT(refusal_of(written_again(whole, metadata)), HasSubstr("its metadata has no sha256"));
  metadata = whole.metadata();
  metadata["format"] = "sluice 2";
  EXPECT_EQ(refusal_of(written_again(whole, metadata)), changed);
}

TEST_F(ModelFile, FilesWithoutADigestStillOpen) {
  const SavedModel saved = saved_network();
  write_model(file_, saved);
  const Safetensors whole = Safetensors::read(file_);
  write_file(file_, written_again(whole, without_digest(whole.metadata())));
  EXPECT_TRUE(same_values(std::get<SavedModel>(read_model(file_)).weights, saved.weights));
}

TEST_F(ModelFile, WeightsThatAreAllZeroNeedADigest) {
  const SavedModel zero{tiny(), Weights(tiny()), {"a", "b", "c"}};
  EXPECT_EQ(
      refusal([](auto&) {}, zero),
      "[model] F: all values of tensor 'conv1.1/kernel' are 0: copy the file again, or train the "
      "model again");
  write_model(file_, zero);
  EXPECT_TRUE(same_values(std::get<SavedModel>(read_model(file_)).weights, zero.weights));
}

TEST_F(ModelFile, WeightsThatAreNotFinite) {
  for (const float wrong :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    SavedModel saved = saved_network();
    write_model(file_, saved);
    const Safetensors whole = Safetensors::read(file_);
    std::string bytes = written_again(whole, without_digest(whole.metadata()));
    std::memcpy(bytes.data() + bytes.size() - sizeof wrong, &wrong, sizeof wrong);
    EXPECT_EQ(refusal_of(bytes),
              "[model] F: 1 of the 3 values of tensor 'output/bias' are NaN or infinite, and so "
              "would be its answers: train it again, with a lower learning rate");
    saved.weights.values().back() = wrong;
    EXPECT_THAT(refusal_to_write(saved), HasSubstr("are NaN or infinite"));
    SavedMixture mixture = saved_mixture();
    mixture.weights.gate.values().back() = wrong;
    EXPECT_THAT(refusal_to_write(mixture), HasSubstr("tensor 'gate/output/bias'"));
  }
}

TEST_F(ModelFile, WhatCouldNotBeReadIsNotWritten) {
  const auto network = [](const Sequential& model) {
    return SavedModel{model, Weights(tiny()), {"a", "b", "c"}};
  };
  Sequential model = tiny();
  std::get<MaxPooling2D>(model.layers[1]).name = "conv1.1";
  EXPECT_THAT(refusal_to_write(network(model)), HasSubstr("two layers are called 'conv1.1'"));
  model = tiny();
  std::get<Conv2D>(model.layers[0]).filters = 0;
  EXPECT_THAT(refusal_to_write(network(model)), HasSubstr("filters must be whole numbers from 1"));
  model = tiny();
  std::get<Conv2D>(model.layers[0]).name = "conv\xff";
  EXPECT_THAT(refusal_to_write(network(model)), HasSubstr("cannot be a name in a file"));
  EXPECT_THAT(refusal_to_write(network(tiny("other", 4))),
              HasSubstr("other: the weights are not those of its layers"));
  SavedModel saved = saved_network();
  saved.class_names.pop_back();
  EXPECT_THAT(refusal_to_write(saved), HasSubstr("must be a list of 3 names"));
  saved.class_names.clear();
  EXPECT_THAT(refusal_to_write(saved), HasSubstr("the model has no class_names"));
  SavedMixture mixture = saved_mixture();
  std::swap(mixture.groups[0], mixture.groups[1]);
  EXPECT_THAT(refusal_to_write(mixture), HasSubstr("in the order of the branches"));
  mixture.groups.clear();
  EXPECT_THAT(refusal_to_write(mixture), HasSubstr("the model has no groups"));
  mixture = saved_mixture();
  mixture.weights.experts.pop_back();
  EXPECT_THAT(refusal_to_write(mixture), HasSubstr("2 branches, but weights of 1 experts"));
  mixture = saved_mixture();
  mixture.model.gate = tiny("gate", 3);
  EXPECT_THAT(refusal_to_write(mixture), HasSubstr("gate must have 2 outputs"));
}

TEST_F(ModelFile, FilesOfOtherKindsAreNamed) {
  EXPECT_EQ(
      refusal_of("\x08\x0a\x12\x07pytorch"),
      "[model] F is an ONNX model, not a model of Sluice: make a run of it with `sluice import "
      "baseline=" +
          file_.string() + "`");
  EXPECT_EQ(
      refusal_of("\x89HDF\r\n\x1a\n"),
      "[model] F is an HDF5 file, as Keras writes them, not a model of Sluice: make a run of it "
      "with `sluice import " +
          file_.string() + "`");
}

TEST_F(ModelFile, NotesThatAreMissingOrWrong) {
  for (const char* key : {"model", "class_names", "normalization", "groups"}) {
    EXPECT_THAT(refusal([&](auto& metadata) { metadata.erase(key); }, saved_mixture()),
                HasSubstr(std::string("its metadata has no ") + key));
  }
  const auto class_names = [&](const char* names) {
    return refusal([&](auto& metadata) { metadata["class_names"] = names; });
  };
  EXPECT_EQ(class_names("[\"a\""), "[model] F: class_names is not valid JSON at byte 5");
  EXPECT_EQ(class_names("[[[\"a\"]]]"),
            "[model] F: class_names is nested deeper than 1: is it of a model?");
  const std::string three =
      "[model] F: class_names in its metadata must be a list of 3 names, one for each output";
  for (const char* names : {"3", "{}", "[]", "[\"a\", \"b\"]"})
    EXPECT_EQ(class_names(names), three);
  EXPECT_EQ(class_names("[1, 2, 3]"),
            "[model] F: class_names in its metadata must be made of strings");
  for (const char* other : {"1", "[]", "{}", R"({"scale": 1, "offset": 0})",
                            R"({"scale": 0.00392156862745098, "offset": "0"})",
                            R"({"scale": 0.00392156862745098, "offset": 0, "std": 1})"}) {
    EXPECT_THAT(refusal([&](auto& metadata) { metadata["normalization"] = other; }),
                HasSubstr("F: normalization in its metadata must be {\"scale\":0.0"))
        << other;
  }
}

TEST_F(ModelFile, ATensorOfTheRightSizeAndTheWrongShape) {
  const Sequential dense{"dense", {2}, {Dense{"output", 3}}};
  write_model(file_, SavedModel{dense, Weights(dense), {"a", "b", "c"}});
  const std::vector<float> values(6, 1.f);
  EXPECT_EQ(refusal_of(to_safetensors({{"output/kernel", {3, 2}, values},
                                       {"output/bias", {3}, std::span(values).first(3)}},
                                      without_digest(Safetensors::read(file_).metadata()))),
            "[model] F: tensor 'output/kernel' is (3, 2), but its model's is (2, 3)");
}

TEST_F(ModelFile, GroupsThatDoNotFit) {
  const auto groups = [&](const char* text) {
    return refusal([&](auto& metadata) { metadata["groups"] = text; }, saved_mixture());
  };
  const std::string form =
      "[model] F: groups in its metadata must be a list of {\"name\": ..., \"classes\": [...]}";
  for (const char* text : {"[1]", "{\"a\": 1}", "[{}]", R"([{"name": 1, "classes": []}])"}) {
    EXPECT_EQ(groups(text), form) << text;
  }
  EXPECT_THAT(groups("[]"), HasSubstr("one for each branch"));
  EXPECT_THAT(groups(R"([{"name": "right", "classes": ["a"]}, {"name": "left", "classes": []}])"),
              HasSubstr("in the order of the branches"));
  EXPECT_THAT(
      groups(R"([{"name": "left", "classes": ["a"]}, {"name": "right", "classes": ["b"]}])"),
      HasSubstr("'c' is in no group"));
}

TEST_F(ModelFile, DeclarationsThatCannotBe) {
  const auto layer = [&](int index, const char* key, const nlohmann::json& value) {
    return refusal_of_model([&](auto& json) { json["layers"][index][key] = value; });
  };
  const std::string filters =
      "[model] F: model: layer 1: filters must be whole numbers from 1 to 65536";
  for (const nlohmann::json& value : nlohmann::json::parse("[0, -1, 65537, 1.5, \"2\", null]")) {
    EXPECT_EQ(layer(0, "filters", value), filters) << value;
  }
  const auto inputs = [&](const char* json) {
    return layer(1, "inputs", nlohmann::json::parse(json));
  };
  EXPECT_THAT(inputs(R"("conv1.1")"), HasSubstr("layer 2: inputs must be "));
  EXPECT_THAT(inputs("[1]"), HasSubstr("layer 2: inputs must be "));
  EXPECT_THAT(inputs("[]"), HasSubstr("layer 2: inputs must be "));
  EXPECT_THAT(inputs(R"(["pool1"])"),
              HasSubstr("pool1: takes 'pool1', which is no layer before it"));
  EXPECT_THAT(inputs(R"(["drop1"])"),
              HasSubstr("pool1: takes 'drop1', which is no layer before it"));
  EXPECT_THAT(inputs(R"(["none"])"), HasSubstr("pool1: takes 'none', which is no layer before it"));
  EXPECT_THAT(inputs(R"(["images"])"), HasSubstr("no layer takes the result of 'conv1.1'"));
  EXPECT_THAT(inputs(R"(["images", "conv1.1"])"), HasSubstr("pool1: takes one input, not 2"));
  EXPECT_THAT(layer(0, "filters", 3), HasSubstr("parameters: is the file whole?"));
  EXPECT_THAT(layer(0, "activation", "gelo"), HasSubstr("layer 1: activation must be"));
  EXPECT_THAT(layer(0, "dilation", 2), HasSubstr("layer 1 has keys that this version"));
  EXPECT_THAT(layer(0, "class_name", "LSTM"), HasSubstr("layer 1: LSTM is a layer"));
  EXPECT_THAT(layer(0, "name", "a/b"), HasSubstr("layer 1: name must be a name"));
  EXPECT_THAT(layer(0, "name", "a\nb"), HasSubstr("layer 1: name must be a name"));
  EXPECT_THAT(layer(0, "name", "other"), HasSubstr("F has no tensor 'other/kernel'"));
  EXPECT_THAT(layer(3, "name", "pool1"), HasSubstr("model: tiny: two layers are called 'pool1'"));
  EXPECT_THAT(layer(2, "rate", 0.99999999), HasSubstr("layer 3: rate must be a number from 0"));
  EXPECT_THAT(layer(1, "pool_size", 5), HasSubstr("a window of 5x5 does not fit"));
  EXPECT_THAT(layer(2, "rate", 1), HasSubstr("layer 3: rate must be a number from 0 up to 1"));
  EXPECT_THAT(refusal_of_model([](auto& json) { json["layers"] = nlohmann::json::array(); }),
              HasSubstr("model: layers must be a list of 1 to 1000"));
  EXPECT_THAT(refusal_of_model([](auto& json) { json["frozen"] = "conv1.1"; }),
              HasSubstr("model: frozen must be a list of 1 to 4000"));
  EXPECT_THAT(refusal_of_model([](auto& json) {
                json["frozen"] = {"conv1.1", "\n"};
              }),
              HasSubstr("model: tiny: '?' is frozen, and is no layer"));
  EXPECT_THAT(refusal_of_model([](auto& json) { json = 3; }), HasSubstr("is not a JSON object"));
  EXPECT_THAT(refusal_of_model([](auto& json) { json.erase("input_shape"); }),
              HasSubstr("model has no input_shape"));
  // Numbers whose product exceeds 64 bits are refused before the multiplication.
  EXPECT_THAT(refusal_of_model([](auto& json) {
                json["input_shape"] = {65536, 65536, 65536};
                json["layers"][0]["filters"] = 65536;
              }),
              HasSubstr("model: tiny: conv1.1: its output or a tensor is larger than any memory"));
}

TEST_F(ModelFile, PartsOfAMixtureThatDoNotFitTogether) {
  const auto mixture = [&](const std::function<void(nlohmann::json&)>& change) {
    return refusal_of_model(change, saved_mixture());
  };
  EXPECT_THAT(mixture([](auto& json) { json["gate"]["layers"][4]["units"] = 3; }),
              HasSubstr("model: gate must have 2 outputs"));
  EXPECT_THAT(mixture([](auto& json) { json["branches"].erase(1); }),
              HasSubstr("gate must have 1 outputs"));
  EXPECT_THAT(mixture([](auto& json) { json["branches"][0]["expert"]["name"] = "baseline"; }),
              HasSubstr("baseline must have a name of its own"));
  EXPECT_THAT(mixture([](auto& json) {
                json["gate"]["input_shape"] = {8, 8, 3};
              }),
              HasSubstr("gate must have the baseline's input"));
}

}  // namespace
}  // namespace sluice

#include "sluice/model_file.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "io/declaration.h"
#include "io/model_file_testing.h"
#include "io/safetensors_testing.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

class ModelFile : public testing::Test {
 protected:
  /// What a file with other metadata is refused with. `path` is shortened to F.
  std::string refusal(const std::function<void(TensorMetadata&)>& change,
                      const AnyModel& model = saved_network()) {
    write_model(file_, model);
    const Safetensors whole = Safetensors::read(file_);
    TensorMetadata metadata = whole.metadata();
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

  /// Changes the declared model.
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

  ScratchFolder folder_;
  const std::filesystem::path file_ = folder_ / "model.safetensors";
};

bool same_values(const Weights& a, const Weights& b) {
  return std::ranges::equal(a.values(), b.values());
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
              HasSubstr("F is not a model of sluice, for its metadata has no format"));
  EXPECT_EQ(refusal([](auto& metadata) { metadata["format"] = "sluice 9"; }),
            "[model] F has the format 'sluice 9', not 'sluice 2': use the sluice that wrote it");
  write_model(file_, saved_network());
  const std::string whole = read_file(file_, 100'000);
  EXPECT_THAT(refusal_of(whole.substr(0, whole.size() - 1)), HasSubstr("[safetensors] F"));
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
  const std::vector<float> values(6);
  EXPECT_EQ(refusal_of(to_safetensors({{"output/kernel", {3, 2}, values},
                                       {"output/bias", {3}, std::span(values).first(3)}},
                                      Safetensors::read(file_).metadata())),
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
  EXPECT_THAT(layer(0, "filters", 3), HasSubstr("parameters: is the file whole?"));
  EXPECT_THAT(layer(0, "activation", "gelu"), HasSubstr("layer 1: activation must be"));
  EXPECT_THAT(layer(0, "strides", 2), HasSubstr("layer 1 has keys that this version"));
  EXPECT_THAT(layer(0, "class_name", "LSTM"), HasSubstr("layer 1: LSTM is a layer"));
  EXPECT_THAT(layer(0, "name", "a/b"), HasSubstr("layer 1: name must be a name"));
  EXPECT_THAT(layer(0, "name", "a\nb"), HasSubstr("layer 1: name must be a name"));
  EXPECT_THAT(layer(0, "name", "other"), HasSubstr("F has no tensor 'other/kernel'"));
  EXPECT_THAT(layer(3, "name", "pool1"), HasSubstr("layer 4 is called pool1 as another is"));
  EXPECT_THAT(layer(2, "rate", 0.99999999), HasSubstr("layer 3: rate must be a number from 0"));
  EXPECT_THAT(layer(1, "pool_size", 5), HasSubstr("a pool of 5 does not fit"));
  EXPECT_THAT(layer(2, "rate", 1), HasSubstr("layer 3: rate must be a number from 0 up to 1"));
  EXPECT_THAT(refusal_of_model([](auto& json) { json["layers"] = nlohmann::json::array(); }),
              HasSubstr("model: layers must be a list of 1 to 1000"));
  EXPECT_THAT(refusal_of_model([](auto& json) { json = 3; }), HasSubstr("is not a JSON object"));
  EXPECT_THAT(refusal_of_model([](auto& json) { json.erase("input_shape"); }),
              HasSubstr("model has no input_shape"));
  // Numbers whose product would leave 64 bits are refused before they are multiplied.
  EXPECT_THAT(refusal_of_model([](auto& json) {
                json["input_shape"] = {65536, 65536, 65536};
                json["layers"][0]["filters"] = 65536;
              }),
              HasSubstr("layer 1 is larger than any memory"));
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

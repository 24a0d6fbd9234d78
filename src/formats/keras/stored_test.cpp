#include "formats/keras/stored.h"

#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

const std::vector<float> kOne{1};

Safetensors file_of(const std::vector<std::string>& names, const TensorMetadata& metadata = {}) {
  std::vector<NamedTensor> tensors;
  for (const std::string& name : names) tensors.push_back({name, {1}, kOne});
  return Safetensors::parse(to_safetensors(tensors, metadata), "f");
}

std::string keys(const StoredModel& model) {
  std::string all;
  for (const StoredLayer& layer : model.layers) all += layer.key + " ";
  return all;
}

TEST(KerasStored, LayersInTheOrderOfTheirNumbers) {
  const StoredModel model =
      find_stored(file_of({"layers/conv2d/vars/0", "layers/conv2d_10/vars/0",
                           "layers/conv2d_9/vars/0", "layers/dense/vars/0", "layers/dense/vars/1"}),
                  "f");
  EXPECT_EQ(keys(model), "conv2d conv2d_9 conv2d_10 dense ");
  EXPECT_EQ(model.layers.back().weights.size(), 2u);
}

TEST(KerasStored, ContainersOfOlderVersionsAndOfSubclassedModels) {
  EXPECT_EQ(keys(find_stored(file_of({"_layer_checkpoint_dependencies/dense/vars/0"}), "f")),
            "dense ");
  const StoredModel model =
      find_stored(file_of({"experts/sequential/layers/dense/vars/0",
                           "experts/sequential_1/layers/dense/vars/0", "head/vars/0"},
                          {{"experts/sequential_1/vars@name", "\"zoo\""}}),
                  "f");
  EXPECT_EQ(keys(model), "head sequential/dense sequential_1/dense ");
  ASSERT_EQ(model.models.size(), 2u);
  EXPECT_EQ(model.models[0].label(), "sequential");
  EXPECT_EQ(model.models[1].label(), "zoo");
  EXPECT_EQ(keys(model.models[1]), "dense ");
}

TEST(KerasStored, LegacyListsSayWhatIsThere) {
  const auto legacy = [](const std::string& layers, const std::string& weights) {
    return file_of({"a/m/x/kernel", "a/m/y/kernel"},
                   {{"@layer_names", layers}, {"a@weight_names", weights}});
  };
  const auto refusal = [](const Safetensors& file) {
    return error_of(Fault::user, [&] { find_stored(file, "f"); });
  };
  const StoredModel model = find_stored(legacy("[\"a\"]", "[\"m/y/kernel\",\"m/x/kernel\"]"), "f");
  ASSERT_EQ(model.models.size(), 1u);
  EXPECT_EQ(keys(model.models[0]), "m/y m/x ");
  EXPECT_EQ(keys(model), "a/m/y a/m/x ");
  EXPECT_EQ(refusal(legacy("[\"a\"]", "[\"z\"]")),
            "[keras] f: layer 'a' lists the weights 'z', which are not there");
  EXPECT_EQ(refusal(legacy("[\"a\",\"a\"]", "[]")), "[keras] f: layer 'a' is listed twice");
  EXPECT_THAT(refusal(legacy("[[[]]]", "[]")), HasSubstr("is nested deeper than 1"));
}

TEST(KerasStored, PathsThatHdf5CannotHave) {
  std::string deep = "a";
  for (int i = 0; i < 100'000; ++i) deep += "/a";
  for (const std::string& path :
       {deep, std::string("a/vars/"), std::string("/a"), std::string("a//b"), std::string()}) {
    EXPECT_THAT(error_of(Fault::user, [&] { find_stored(file_of({path}), "f"); }),
                HasSubstr("' is no path"));
  }
}

}  // namespace
}  // namespace sluice

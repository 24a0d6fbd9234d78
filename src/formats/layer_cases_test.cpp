#include "graph/layer_cases.h"

#include <set>

#include "formats/keras/config_reader.h"
#include "formats/keras/functional.h"
#include "formats/model/declaration.h"
#include "graph/unrouted.h"
#include "runtime/network.h"
#include "runtime/network_testing.h"
#include "runtime/reference_network.h"
#include "sluice/exchange.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

// Tests that every layer type must pass.

/// Every tensor with other values, state included.
Weights counted_weights(const Sequential& model) {
  Weights weights(model);
  weights.initialize(3, 1);
  float value = 0.1f;
  for (const Weights::Tensor& tensor : weights.tensors()) {
    if (tensor.initializer != Initializer::zeros && tensor.initializer != Initializer::ones)
      continue;
    for (float& each : weights.values(tensor)) each = value += 0.01f;
  }
  return weights;
}

std::vector<Sequential> all_cases() {
  std::vector<Sequential> cases = layer_cases();
  for (const Sequential& model : routed_cases()) cases.push_back(model);
  return cases;
}

std::string name_of_case(const Sequential& model) {
  return to_declaration(model).dump();
}

TEST(LayerCases, HaveEveryType) {
  std::set<std::string> missing;
  for (const std::string& name : layer_class_names()) missing.insert(name);
  for (const Sequential& model : all_cases()) {
    for (const Layer& layer : model.layers) missing.erase(class_name_of(layer));
  }
  EXPECT_TRUE(missing.empty()) << "layer_cases() has no " << *missing.begin();
}

TEST(LayerCases, DeclarationsComeBack) {
  for (const Sequential& model : all_cases()) {
    SCOPED_TRACE(name_of_case(model));
    const nlohmann::json declared = nlohmann::json::parse(to_declaration(model).dump());
    EXPECT_EQ(to_declaration(sequential_of(declared, "f")), to_declaration(model));
  }
}

TEST(LayerCases, KerasConfigurationsComeBack) {
  for (const Sequential& model : layer_cases()) {
    SCOPED_TRACE(name_of_case(model));
    const nlohmann::json config = nlohmann::json::parse(model_config(model).dump());
    const DeclaredModel read = read_declared(config, "f");
    // A file lists a graph's layers in Keras's order.
    EXPECT_EQ(model_config(read.model), model_config(model));
    const auto layers = summarize(model);
    const auto weighted = std::ranges::count_if(
        layers, [](const LayerSummary& layer) { return !layer.tensors.empty(); });
    EXPECT_EQ(read.weighted.size(), static_cast<std::size_t>(weighted));
  }
}

TEST(LayerCases, TensorsComeBackFromEveryKindOfFile) {
  const ScratchFolder temp;
  for (const Sequential& model : all_cases()) {
    SCOPED_TRACE(name_of_case(model));
    std::vector<std::string> classes;
    for (int i = 0; i < summarize(model).back().output[0]; ++i)
      classes.push_back(std::to_string(i));
    const SavedModel saved{model, counted_weights(model), classes};
    const auto expect_same = [&](const AnyModel& read) {
      const Weights& weights = std::get<SavedModel>(read).weights;
      const auto& tensors = saved.weights.tensors();
      ASSERT_EQ(weights.tensors().size(), tensors.size());
      for (std::size_t i = 0; i < tensors.size(); ++i) {
        EXPECT_TRUE(std::ranges::equal(weights.values(weights.tensors()[i]),
                                       saved.weights.values(tensors[i])));
      }
    };
    write_model(temp / "m.safetensors", saved);
    expect_same(read_model(temp / "m.safetensors"));
    if (std::ranges::any_of(model.layers, is_mixture)) {
      // Keras has no such layers: its file has others that give the same.
      export_keras(temp / "m.keras", saved);
      EXPECT_EQ(std::get<SavedModel>(import_keras(temp / "m.keras")).model.layers.size(),
                unrouted(model, saved.weights).first.layers.size());
      export_onnx(temp / "m.onnx", saved);
      continue;
    }
    export_keras(temp / "m.keras", saved);
    expect_same(import_keras(temp / "m.keras"));
    export_keras_h5(temp / "m.h5", saved);
    expect_same(import_keras(temp / "m.h5"));
    export_onnx(temp / "m.onnx", saved);
  }
}

TEST(LayerCases, NetworksEqualTheReference) {
  constexpr int kBatch = 3;
  for (const Sequential& model : all_cases()) {
    SCOPED_TRACE(name_of_case(model));
    const Weights weights = counted_weights(model);
    onednn::Context context;
    Network network(context, model, weights, {.batch = kBatch});
    reference::ReferenceNetwork oracle(model, weights);
    const auto inputs = static_cast<std::size_t>(element_count(model.input));
    const std::vector<float> images = random_images(kBatch * inputs);
    std::copy(images.begin(), images.end(), network.input().begin());
    const auto expected = oracle.forward({images.begin(), images.end()}, kBatch);
    const auto output = network.forward(kBatch, nullptr);
    EXPECT_LT(relative_error(output, expected), 1e-5);
    const std::vector<float> diff = random_images(output.size(), 9);
    network.backward(diff, GradientOf::output);
    EXPECT_LT(relative_error(network.gradients(), oracle.backward({diff.begin(), diff.end()})),
              1e-4);
  }
}

}  // namespace
}  // namespace sluice

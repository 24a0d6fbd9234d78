// Writes models with random weights as ONNX files, each with a safetensors file of images and
// Sluice's predictions. onnx_files.py runs it and compares.
//
//   sluice_onnx_driver FOLDER

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/random.h"
#include "formats/safetensors/safetensors.h"
#include "graph/layer_cases.h"
#include "sluice/exchange.h"
#include "sluice/lab/models.h"

namespace sluice {
namespace {

constexpr int kImages = 64;
const CompileOptions kPredict{.batch = kImages};

float random_unit(std::uint32_t stream, std::uint32_t index) {
  return RandomStream::unit(RandomStream(7, Purpose::drawing, stream, 0).bits(index)[0]);
}

/// Returns noise around a random colour of each image: networks cannot distinguish images of plain
/// noise.
std::vector<float> random_images(const Shape& shape) {
  const auto size = static_cast<std::size_t>(element_count(shape));
  std::vector<float> images(kImages * size);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto colour = static_cast<std::uint32_t>(i / size * 3 + i % 3);
    images[i] =
        0.7f * random_unit(1, colour) + 0.3f * random_unit(2, static_cast<std::uint32_t>(i));
  }
  return images;
}

/// Scales Glorot's kernels by one and a half: with plain ones, a deep network's output hardly
/// depends on the image.
Weights random_weights(const Sequential& model, std::uint32_t stream) {
  Weights weights(model);
  weights.initialize(7, stream);
  for (float& value : weights.values()) value *= 1.5f;
  for (const Weights::Tensor& tensor : weights.tensors()) {
    if (!tensor.kind.ends_with("bias")) continue;
    for (std::uint32_t i = 0; i < tensor.size; ++i) {
      weights.values(tensor)[i] = 0.4f * random_unit(100 + stream, i) - 0.2f;
    }
  }
  return weights;
}

std::vector<float> predict(const Sequential& model, const Weights& weights,
                           const std::vector<float>& images) {
  const auto compiled = compile_for_inference(model, weights, kPredict);
  const auto output = compiled->predict(images, kImages);
  return {output.begin(), output.end()};
}

std::vector<std::string> names(const char* what, int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back(fmt::format("{} {}", what, i));
  return names;
}

/// Changes the last biases so that the output depends on the images: random weights would send all
/// images to one group.
void centre(const Sequential& model, Weights& weights) {
  const std::vector<float> images = random_images(model.input);
  const auto compiled = compile_for_inference(model, weights, kPredict);
  compiled->predict(images, kImages);
  const std::span<float> bias = weights.values(weights.tensors().back());
  std::vector<float> mean(bias.size());
  for (std::size_t i = 0; i < compiled->logits().size(); ++i) {
    mean[i % mean.size()] += compiled->logits()[i] / kImages;
  }
  for (std::size_t g = 0; g < bias.size(); ++g) bias[g] -= mean[g];
}

/// Between the probabilities of two images.
float largest_difference(const std::vector<float>& outputs) {
  const std::size_t width = outputs.size() / kImages;
  float largest = 0;
  for (std::size_t i = width; i < outputs.size(); ++i) {
    largest = std::max(largest, std::abs(outputs[i] - outputs[i - width]));
  }
  return largest;
}

class Driver {
 public:
  explicit Driver(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// With the first random weights by which the outputs depend on the images.
  void write_classifier(const std::string& name, const Sequential& model) {
    constexpr float kLeast = 0.05F;
    constexpr int kMostTries = 50;
    const std::vector<float> images = random_images(model.input);
    Weights weights(model);
    std::vector<float> outputs;
    for (int i = 0; i < kMostTries && largest_difference(outputs) <= kLeast; ++i) {
      weights = random_weights(model, stream_++);
      centre(model, weights);
      outputs = predict(model, weights, images);
    }
    const std::vector<LayerSummary> layers = summarize(model);
    write(name,
          SavedModel{model, weights, names("class", static_cast<int>(layers.back().output[0]))},
          images, outputs, {});
  }

  /// Writes a model that Sluice can run only in pieces: each gets the output of the previous one.
  /// A piece may end in a Flatten that the whole does not have.
  void write_pieces(const std::string& name, const Sequential& whole,
                    const std::vector<Sequential>& pieces) {
    const std::vector<float> images = random_images(whole.input);
    const Weights weights = random_weights(whole, stream_++);
    std::vector<float> values = images;
    auto next = weights.values().begin();
    for (std::size_t p = 0; p < pieces.size(); ++p) {
      Weights part(pieces[p]);
      std::copy_n(next, part.values().size(), part.values().begin());
      next += static_cast<std::ptrdiff_t>(part.values().size());
      values = predict(pieces[p], part, values);
    }
    write(name, SavedModel{whole, weights, {}}, images, values, {});
  }

  /// `set_gate` changes the random weights of the gate.
  void write_mixture(const std::string& name, int groups, CnnSize size,
                     const std::function<void(const Sequential&, Weights&)>& set_gate) {
    const std::vector<std::string> classes = names("class", 10);
    std::vector<Groups::Group> declared(static_cast<std::size_t>(groups));
    for (std::size_t g = 0; g < declared.size(); ++g) declared[g].name = fmt::format("group-{}", g);
    for (std::size_t c = 0; c < classes.size(); ++c) {
      declared[c % declared.size()].classes.push_back(classes[c]);
    }
    const Mixture model = mixture({declared, classes}, {32, 32, 3}, 10, size);
    const std::vector<float> images = random_images(model.baseline.input);
    MixtureWeights weights(model);
    const auto parts = model.parts();
    for (std::size_t p = 0; p < parts.size(); ++p) {
      *weights.parts()[p] = random_weights(*parts[p], stream_++);
    }
    set_gate(model.gate, weights.gate);

    std::vector<float> chosen;
    const std::vector<float> gate = predict(model.gate, weights.gate, images);
    for (std::size_t i = 0; i < kImages; ++i) {
      chosen.push_back(
          static_cast<float>(chosen_group(std::span(gate).subspan(i * groups, groups))));
    }
    const auto compiled = compile_for_inference(model, weights, kPredict);
    const auto output = compiled->predict(images, kImages);
    const SavedMixture saved{model, weights, classes, declared};
    write(name, saved, images, {output.begin(), output.end()}, chosen);
    write("sparse-" + name, saved, images, {output.begin(), output.end()}, chosen,
          OnnxExperts::chosen);
  }

 private:
  void write(const std::string& name, const AnyModel& model, const std::vector<float>& images,
             const std::vector<float>& outputs, const std::vector<float>& chosen,
             OnnxExperts experts = OnnxExperts::all) {
    export_onnx(folder_ / (name + ".onnx"), model, experts);
    TensorMetadata metadata;
    std::vector<NamedTensor> tensors{
        {"images", {kImages, static_cast<std::int64_t>(images.size()) / kImages}, images},
        {"outputs", {kImages, static_cast<std::int64_t>(outputs.size()) / kImages}, outputs}};
    if (const auto* mixture = std::get_if<SavedMixture>(&model)) {
      tensors.push_back({"group", {kImages}, chosen});
      nlohmann::json groups;
      for (const auto& group : mixture->groups) groups[group.name] = group.classes;
      metadata["groups"] = groups.dump();
    }
    std::visit(
        [&](const auto& saved) {
          metadata["class_names"] = nlohmann::json(saved.class_names).dump();
        },
        model);
    write_file(folder_ / (name + ".safetensors"), to_safetensors(tensors, metadata));
  }

  std::filesystem::path folder_;
  std::uint32_t stream_ = 0;
};

/// Returns a function that makes a gate give every image these logits.
std::function<void(const Sequential&, Weights&)> always(const std::vector<float>& logits) {
  return [logits](const Sequential&, Weights& weights) {
    std::fill(weights.values().begin(), weights.values().end(), 0.f);
    std::copy(logits.begin(), logits.end(), weights.values(weights.tensors().back()).begin());
  };
}

void write_all(Driver& driver) {
  const Shape input{32, 32, 3};
  driver.write_classifier("cnn-small", cnn("cnn", input, 10, CnnSize::small));
  driver.write_classifier("cnn-large", cnn("cnn", input, 10, CnnSize::large));
  driver.write_classifier("gate", cnn("gate", input, 2, CnnSize::small));
  driver.write_classifier("importance", importance_model("importance", input, 10));
  driver.write_mixture("mixture-2", 2, CnnSize::small, centre);
  driver.write_mixture("mixture-3", 3, CnnSize::large, centre);
  driver.write_mixture("ties-2", 2, CnnSize::small, always({0, 0}));
  driver.write_mixture("ties-3", 3, CnnSize::small, always({0, 0, 0}));
  driver.write_mixture("ties-first-3", 3, CnnSize::small, always({1, 1, 0}));

  // All layers, uneven sizes, even kernels, unusual activations.
  const Layer even = Conv2D{"even", 5, 2, Activation::linear};
  const Layer pool = MaxPooling2D{"pool", 2};
  const Layer five = Conv2D{"five", 6, 5, Activation::linear};
  const Layer one = Conv2D{"one", 8, 1, Activation::relu};
  const Layer dense = Dense{"dense", 24, Activation::softmax};
  const Layer image = Reshape{"image", {3, 4, 2}};
  const Layer four = Conv2D{"four", 3, 4, Activation::relu};
  const Layer pool3 = MaxPooling2D{"pool3", 3};
  const Layer output = Dense{"output", 6, Activation::linear};
  const Layer drop = Dropout{"drop", 0.5f};
  const Layer flatten = Flatten{"flatten"};
  const Layer flat = Reshape{"flat", {96}};
  const Layer pairs = Reshape{"pairs", {2, 3}};
  driver.write_pieces(
      "odd",
      {"odd",
       {9, 7, 3},
       {even, pool, drop, five, one, flat, dense, image, four, pool3, flatten, output, pairs}},
      {{"1", {9, 7, 3}, {even, pool, five, flatten}},
       {"2", {4, 3, 6}, {one, flatten, dense}},
       {"3", {3, 4, 2}, {four, pool3, flatten, output}}});
  // Last, because each case moves the random numbers of those behind it.
  int number = 0;
  for (Sequential model : routed_cases()) {
    model.layers.push_back(ActivationLayer{"softmax", Activation::softmax});
    driver.write_classifier("routed-" + std::to_string(++number), model);
  }
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: {} FOLDER\n", argv[0]);
    return 2;
  }
  try {
    sluice::Driver driver(argv[1]);
    sluice::write_all(driver);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}

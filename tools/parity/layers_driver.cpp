// Called by layers.py and onnx_import.py: writes a small model of every layer type, and the
// networks with names, as .keras, .h5 and .onnx, with images and what Sluice computes of them.
//
//   sluice_layers_driver write FOLDER       for each model N: N.keras, N.h5, N.onnx, N.name,
//                                           N.images, N.predictions, and of one training pass
//                                           N.training and N.state (what is not trained,
//                                           named in N.state-names)
//   sluice_layers_driver predict FILE IMAGES OUT
//
// Images, predictions and state are raw floats.

#include <fmt/format.h>

#include <cstring>

#include "base/files.h"
#include "base/random.h"
#include "formats/keras/mixture_import.h"
#include "formats/model/declaration.h"
#include "graph/layer_cases.h"
#include "sluice/error.h"
#include "sluice/exchange.h"
#include "sluice/lab/models.h"

namespace sluice {

namespace {

constexpr int kImages = 4;

std::vector<float> random_values(std::size_t count, std::uint32_t stream) {
  const RandomStream random(7, Purpose::drawing, stream, 0);
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = RandomStream::unit(random.bits(static_cast<std::uint32_t>(i))[0]);
  }
  return values;
}

void write_floats(const std::filesystem::path& path, std::span<const float> values) {
  write_file(path, std::string(reinterpret_cast<const char*>(values.data()), values.size_bytes()));
}

/// Values like trained ones: no tensor is all zeros or ones, and variances are positive.
Weights random_weights(const Sequential& model) {
  Weights weights(model);
  weights.initialize(3, 1);
  std::uint32_t stream = 10;
  for (const Weights::Tensor& tensor : weights.tensors()) {
    const std::vector<float> random = random_values(tensor.size, ++stream);
    const bool centred = tensor.initializer == Initializer::zeros;
    if (!centred && tensor.initializer != Initializer::ones) continue;
    for (std::size_t i = 0; i < tensor.size; ++i) {
      weights.values(tensor)[i] = random[i] + (centred ? -0.5f : 0.5f);
    }
  }
  return weights;
}

bool draws(const Sequential& model) {
  return std::ranges::any_of(
      model.layers, [](const Layer& layer) { return std::holds_alternative<Dropout>(layer); });
}

/// Classes of its layers; those with frozen tensors are marked.
std::string words(const Sequential& model) {
  std::string words;
  for (const Layer& layer : model.layers) {
    const bool frozen = std::ranges::any_of(model.frozen, [&](const std::string& name) {
      return name == name_of(layer) || name.starts_with(name_of(layer) + "/");
    });
    words +=
        fmt::format("{}{}{}", words.empty() ? "" : " ", frozen ? "*" : "", class_name_of(layer));
  }
  return words;
}

/// A line "layer tensor" for each tensor of state(), in its order.
std::string state_names(const Weights& weights) {
  std::string names;
  for (const Weights::Tensor& tensor : weights.tensors()) {
    if (!tensor.trained) names += tensor.layer + " " + tensor.kind + "\n";
  }
  return names;
}

class Writer {
 public:
  explicit Writer(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void write(const Sequential& model, const std::string& name) {
    const auto path = [&](const char* suffix) {
      return folder_ / (std::to_string(number_) + suffix);
    };
    SavedModel saved{model, random_weights(model), {}};
    export_keras(path(".keras"), saved);
    export_keras_h5(path(".h5"), saved);
    export_onnx(path(".onnx"), saved);
    write_file(path(".name"), name);
    const auto images =
        random_values(kImages * static_cast<std::size_t>(element_count(model.input)), 1);
    write_floats(path(".images"), images);
    const auto compiled = compile_for_inference(saved.model, saved.weights, {.batch = kImages});
    write_floats(path(".predictions"), compiled->predict(images, kImages));
    if (!draws(model)) {
      const auto trained = compile(saved.model, saved.weights, {.batch = kImages});
      write_floats(path(".training"), trained->forward(images, kImages, RandomKey{}));
      write_floats(path(".state"), saved.weights.state());
      write_file(path(".state-names"), state_names(saved.weights));
    }
    ++number_;
  }

 private:
  std::filesystem::path folder_;
  int number_ = 0;
};

void write_all(const std::string& folder) {
  Writer writer(folder);
  for (const Sequential& model : layer_cases()) writer.write(model, words(model));
  for (const std::string& name : network_names()) {
    if (name == "lab") continue;  // keras_files.py compares it
    NetworkChoice choice;
    choice.name = name;
    choice.width = name == "mobilenet-small" ? 1 : 0.5;
    writer.write(network("model", {40, 36, 3}, 5, choice), name);
  }
}

/// A network with the outputs that the file has, which import would make probabilities.
SavedModel keras_network(const std::string& file) {
  const KerasFile read = read_keras_file(file);
  return import_part(read, read.stored, read.config, "model", {}, read.place);
}

void predict(const std::string& file, const std::string& images, const std::string& out) {
  const auto say = [](const std::string& line) {
    std::fprintf(stderr, "note: %s\n", line.c_str());
  };
  const SavedModel saved =
      file.ends_with(".onnx") ? import_onnx(file, {.say = say}) : keras_network(file);
  const std::string bytes = read_file(images, 1 << 30);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  const auto count =
      static_cast<int>(std::int64_t(values.size()) / element_count(saved.model.input));
  const auto compiled = compile_for_inference(saved.model, saved.weights, {.batch = count});
  write_floats(out, compiled->predict(values, count));
}

}  // namespace

}  // namespace sluice

int main(int count, char** arguments) {
  try {
    const std::string verb = count > 1 ? arguments[1] : "";
    if (verb == "write" && count == 3) {
      sluice::write_all(arguments[2]);
    } else if (verb == "predict" && count == 5) {
      sluice::predict(arguments[2], arguments[3], arguments[4]);
    } else {
      std::fputs("usage: sluice_layers_driver write|predict ...\n", stderr);
      return 2;
    }
    return 0;
  } catch (const sluice::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}

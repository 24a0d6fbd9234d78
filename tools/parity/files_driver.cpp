// Called by keras_files.py: writes models as Keras files, reads Keras files, predicts.
//
//   export FOLDER             .keras, .h5 and .predictions of each model, for FOLDER/images
//   predict FILE IMAGES OUT   reads a Keras file, writes one prediction per image
//   same FILE FILE            whether both have the same weights, bit for bit
//
// Images and predictions are raw floats. Further arguments of predict and same: PART=NAME as in
// KerasOptions::parts, groups=A,B.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "sluice/error.h"
#include "sluice/exchange.h"
#include "sluice/lab/models.h"

namespace sluice {

namespace {

const Shape kInput{32, 32, 3};
constexpr int kClasses = 10;

std::vector<float> read_floats(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

void write_floats(const std::string& path, const std::vector<float>& values) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof(float)));
}

/// Sets weights like trained ones: also biases, which initialize() sets to zero.
void randomize(Weights& weights, std::uint32_t stream) {
  weights.initialize(7, stream);
  float next = 0.05f;
  for (const Weights::Tensor& tensor : weights.tensors()) {
    if (tensor.kind != "bias") continue;
    for (float& value : weights.values(tensor)) value = next = next > 0.1f ? -0.1f : next + 0.013f;
  }
}

std::vector<float> predict(AnyModel& any, const std::vector<float>& images) {
  const auto run = [&](auto& saved, std::int64_t image) {
    const int count = static_cast<int>(static_cast<std::int64_t>(images.size()) / image);
    CompileOptions options;
    options.batch = count;
    options.compute = Compute::exact;
    const auto compiled = compile_for_inference(saved.model, saved.weights, options);
    const auto out = compiled->predict(images, count);
    return std::vector<float>(out.begin(), out.end());
  };
  if (auto* one = std::get_if<SavedModel>(&any)) {
    return run(*one, element_count(one->model.input));
  }
  auto& mixture = std::get<SavedMixture>(any);
  return run(mixture, element_count(mixture.model.baseline.input));
}

std::vector<float> all_weights(const AnyModel& any) {
  std::vector<float> all;
  const auto add = [&](const Weights& weights) {
    all.insert(all.end(), weights.values().begin(), weights.values().end());
  };
  if (const auto* one = std::get_if<SavedModel>(&any)) {
    add(one->weights);
  } else {
    for (const Weights* part : std::get<SavedMixture>(any).weights.parts()) add(*part);
  }
  return all;
}

std::vector<std::string> class_names() {
  std::vector<std::string> names;
  for (int c = 0; c < kClasses; ++c) names.push_back("class" + std::to_string(c));
  return names;
}

SavedModel single(const Sequential& model) {
  SavedModel saved{model, Weights(model), {}};
  randomize(saved.weights, 1);
  return saved;
}

/// Makes a gate send some of the images to every group: subtracts its mean output, and scales the
/// rest up.
void spread(const Sequential& gate, Weights& weights, const std::vector<float>& images) {
  AnyModel model = SavedModel{gate, weights, {}};
  const std::vector<float> answers = predict(model, images);
  const auto kernel = weights.values(*(weights.tensors().end() - 2));
  const auto bias = weights.values(weights.tensors().back());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const float rows = static_cast<float>(answers.size()) / static_cast<float>(bias.size());
    bias[i % bias.size()] -= std::log(answers[i]) / rows;
  }
  for (float& value : kernel) value *= 30;
  for (float& value : bias) value *= 30;
}

Sequential small_expert(const std::string& name, int filters) {
  return {name,
          {},
          {Conv2D{"conv", filters, 3, Activation::relu, 4}, GlobalMaxPooling2D{"pool"},
           Dense{"logits", kClasses}}};
}

/// A small network before two experts, of which half of the images need one.
SavedModel cascade(const std::vector<float>& images) {
  Cascade layer{"cascade", {small_expert("a", 8), small_expert("b", 12)}};
  for (int c = 0; c < kClasses; ++c) layer.expert_of_class.push_back(c % 2);
  layer.share = 0;
  const Layer softmax = ActivationLayer{"softmax", Activation::softmax};
  SavedModel saved = single({"cascade",
                             kInput,
                             {Conv2D{"small", 6, 3, Activation::relu, 4},
                              GlobalMaxPooling2D{"pool"}, Dense{"first", kClasses}, layer, softmax},
                             {{"cascade", {"images", "first"}}}});
  AnyModel first = saved;
  const std::vector<float> answers = predict(first, images);
  std::vector<float> largest;
  for (auto row = answers.begin(); row != answers.end(); row += kClasses) {
    largest.push_back(*std::max_element(row, row + kClasses));
  }
  std::ranges::sort(largest);
  const std::size_t half = largest.size() / 2;
  for (const Weights::Tensor& tensor : saved.weights.tensors()) {
    if (tensor.kind != "thresholds") continue;
    std::ranges::fill(saved.weights.values(tensor), (largest[half] + largest[half - 1]) / 2);
  }
  std::get<Cascade>(saved.model.layers[3]).share = 0.5;
  return saved;
}

/// Two of three experts answer an image.
SavedModel experts(bool normalize) {
  MixtureOfExperts layer{"experts", {}, 2, normalize};
  for (const char* name : {"a", "b", "c"}) layer.experts.push_back(small_expert(name, 8));
  return single({"experts",
                 kInput,
                 {Conv2D{"trunk", 6, 3, Activation::relu, 4}, GlobalMaxPooling2D{"pool"},
                  Dense{"gate", 3}, layer, ActivationLayer{"softmax", Activation::softmax}},
                 {{"experts", {"images", "gate"}}}});
}

/// The same with a temperature, and biases that change the choice.
SavedModel biased_experts(bool normalize) {
  SavedModel saved = experts(normalize);
  auto& layer = std::get<MixtureOfExperts>(saved.model.layers[3]);
  layer.temperature = 0.5;
  layer.bias_rate = 0.001;
  saved = single(saved.model);
  for (const Weights::Tensor& tensor : saved.weights.tensors()) {
    if (tensor.kind != "selection_bias") continue;
    std::ranges::copy(std::vector<float>{0.5F, -0.25F, 0.125F},
                      saved.weights.values(tensor).begin());
  }
  return saved;
}

/// A mix of three kernels, and one of two.
SavedModel mixed_kernels() {
  return single({"mixed-kernels",
                 kInput,
                 {CondConv2D{"first", 6, 3, {3, 2}, Activation::relu, 4, Padding::valid},
                  CondConv2D{.name = "second", .filters = 8, .kernels = 2, .use_bias = false},
                  GlobalMaxPooling2D{"pool"}, Dense{"output", kClasses, Activation::softmax}}});
}

SavedMixture several(int groups, CnnSize size, bool tied, const std::vector<float>& images) {
  const auto names = class_names();
  std::vector<Groups::Group> declared;
  for (int g = 0; g < groups; ++g) declared.push_back({"group" + std::to_string(9 - g), {}});
  for (int c = 0; c < kClasses; ++c) declared[c % groups].classes.push_back(names[c]);
  const Mixture model = mixture(Groups(declared, names), kInput, kClasses, size);
  SavedMixture saved{model, MixtureWeights(model), names, declared};
  std::uint32_t stream = 0;
  for (Weights* part : saved.weights.parts()) randomize(*part, ++stream);
  spread(saved.model.gate, saved.weights.gate, images);
  // With zero weights all outputs of the gate are equal: the last group gets every image.
  if (tied) std::ranges::fill(saved.weights.gate.values(), 0.f);
  return saved;
}

void export_all(const std::string& folder) {
  const auto images = read_floats(folder + "/images");
  const auto save = [&](const std::string& name, AnyModel model) {
    export_keras(folder + "/" + name + ".keras", model);
    export_keras_h5(folder + "/" + name + ".h5", model);
    write_floats(folder + "/" + name + ".predictions", predict(model, images));
  };
  save("cnn-small", single(cnn("cnn-small", kInput, kClasses, CnnSize::small)));
  save("cnn-large", single(cnn("cnn-large", kInput, kClasses, CnnSize::large)));
  save("gate", single(cnn("gate", kInput, 2, CnnSize::small)));
  save("importance", single(importance_model("importance", kInput, kClasses)));
  save("cascade", cascade(images));
  save("experts", experts(false));
  save("experts-normalized", experts(true));
  save("experts-biased", biased_experts(false));
  save("experts-biased-normalized", biased_experts(true));
  save("mixed-kernels", mixed_kernels());
  save("mixture-2", several(2, CnnSize::small, false, images));
  save("mixture-3", several(3, CnnSize::large, false, images));
  save("mixture-4", several(4, CnnSize::large, false, images));
  save("mixture-tied", several(3, CnnSize::large, true, images));
}

KerasOptions options_of(int count, char** arguments) {
  KerasOptions options;
  for (int i = 0; i < count; ++i) {
    const std::string argument = arguments[i];
    const std::string key = argument.substr(0, argument.find('='));
    const std::string value = argument.substr(argument.find('=') + 1);
    if (key != "groups") {
      options.parts[key] = value;
      continue;
    }
    std::istringstream names(value);
    for (std::string name; std::getline(names, name, ',');) options.groups.push_back(name);
  }
  return options;
}

int run(int count, char** arguments) {
  const std::string verb = count > 1 ? arguments[1] : "";
  if (verb == "export" && count == 3) {
    export_all(arguments[2]);
  } else if (verb == "predict" && count >= 5) {
    AnyModel model = import_keras(arguments[2], options_of(count - 5, arguments + 5));
    write_floats(arguments[4], predict(model, read_floats(arguments[3])));
  } else if (verb == "same" && count >= 4) {
    const KerasOptions options = options_of(count - 4, arguments + 4);
    const auto a = all_weights(import_keras(arguments[2]));
    const auto b = all_weights(import_keras(arguments[3], options));
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0
               ? 0
               : 1;
  } else {
    std::fputs("usage: sluice_files_driver export|predict|same ...\n", stderr);
    return 2;
  }
  return 0;
}

}  // namespace

}  // namespace sluice

int main(int count, char** arguments) {
  try {
    return sluice::run(count, arguments);
  } catch (const sluice::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}

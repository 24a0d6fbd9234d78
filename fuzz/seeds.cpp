// Writes small valid files, from which the fuzzer starts. Run it again, in the repository's root,
// when a format changes: fuzz_seeds fuzz/corpus.

#include <fmt/format.h>
#include <turbojpeg.h>

#include "base/files.h"
#include "data/image_codecs.h"
#include "formats/keras/container.h"
#include "formats/safetensors/safetensors_testing.h"
#include "run/checkpoints.h"
#include "sluice/exchange.h"
#include "sluice/lab/run_folder.h"
#include "tests/scratch_folder.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& folder, const std::string& name, const std::string& bytes) {
  fs::create_directories(folder);
  write_file(folder / ("good-" + name), bytes);
}

void write_tensors(const fs::path& folder) {
  const std::vector<float> values{0, 1, -2.5f, 1e-30f, 3e38f, 7};
  const std::span<const float> six(values);
  write(folder, "nothing", to_safetensors({}, {}));
  write(folder, "metadata", to_safetensors({}, {{"format", "pt"}, {"", "\n"}, {"ö", "\"\\"}}));
  write(folder, "scalar", to_safetensors({{"s", {}, six.first(1)}}, {}));
  write(folder, "empty", to_safetensors({{"e", {0, 7}, {}}, {"f", {0}, {}}}, {}));
  write(folder, "two",
        to_safetensors(
            {{"conv1.1/kernel", {1, 1, 2, 2}, six.first(4)}, {"conv1.1/bias", {2}, six.last(2)}},
            {{"format", "sluice 1"}, {"class_names", "[\"a\",\"b\"]"}}));
  write(folder, "names",
        to_safetensors({{"a b\t\"", {1}, six.first(1)},
                        {"größe/猫", {1, 1, 1, 1, 1, 1}, six.first(1)},
                        {"", {3, 2}, six}},
                       {}));
}

void write_checkpoints(const fs::path& folder) {
  const ScratchFolder place;
  Checkpoints checkpoints(place / "checkpoints", {"seed = 0\n", "data", "machine"});
  std::vector<float> weights{1, -2, 3e-30f};
  FitState state;
  state.history.epochs = {{1.5, 0.1, 1e-300, 1. / 3, 2}};
  state.history.images = 320;
  state.blocks = {{"weights/0", weights}};
  for (const bool finished : {false, true}) {
    state.finished = finished;
    state.epoch = finished ? 3 : 2;
    checkpoints.write("cnn", state);
    const std::string file = fmt::format("checkpoints/cnn.{:05}-0000000.safetensors", state.epoch);
    write(folder, finished ? "finished" : "epoch", read_file(place / file, 1 << 20));
  }
}

void write_cifar(const fs::path& folder) {
  std::string record(3073, '\x80');
  record[0] = 9;
  write(folder, "one", record);
  write(folder, "two", record + std::string(3073, '\0'));
}

void write_experiments(const fs::path& folder) {
  for (const char* name : {"lab", "full"}) {
    write(folder, name, read_file(fmt::format("experiments/{}.toml", name), 1 << 20));
  }
  const Experiment lab = read_experiment("experiments/lab.toml");
  write(folder, "every-key", to_toml(lab));
}

void write_images(const fs::path& folder) {
  constexpr int kHeight = 5;
  constexpr int kWidth = 7;
  std::vector<std::uint8_t> pixels;
  for (int i = 0; i < 3 * kHeight * kWidth; ++i) pixels.push_back(static_cast<std::uint8_t>(7 * i));
  write(folder, "rgb.png", encode_png(pixels, kHeight, kWidth));
  const auto jpeg = [&](int format, int subsampling, int flags) {
    tjhandle encoder = tjInitCompress();
    unsigned char* bytes = nullptr;
    unsigned long size = 0;
    const std::vector<std::uint8_t> from(4 * kHeight * kWidth, 0x70);
    tjCompress2(encoder, from.data(), kWidth, 0, kHeight, format, &bytes, &size, subsampling, 80,
                flags);
    std::string file(reinterpret_cast<const char*>(bytes), size);
    tjFree(bytes);
    tjDestroy(encoder);
    return file;
  };
  write(folder, "rgb.jpg", jpeg(TJPF_RGB, TJSAMP_420, 0));
  write(folder, "grey.jpg", jpeg(TJPF_GRAY, TJSAMP_GRAY, 0));
  write(folder, "cmyk.jpg", jpeg(TJPF_CMYK, TJSAMP_444, 0));
  write(folder, "progressive.jpg", jpeg(TJPF_RGB, TJSAMP_444, TJFLAG_PROGRESSIVE));
}

void write_results(const fs::path& folder) {
  write(folder, "least", R"({"format": 1, "verdict": {"sentence": "", "controls": {}}})");
  write(folder, "controls",
        R"({"format": 1, "verdict": {"sentence": "The mixture gains.",
            "controls": {"longer": {"accuracy": 0.5}, "average": null}}})");
}

Sequential small(const std::string& name, int outputs) {
  return {name,
          {4, 4, 3},
          {Conv2D{"conv", 2}, MaxPooling2D{"pool"}, Dropout{"drop", 0.25f}, Flatten{"flatten"},
           Dense{"output", outputs, Activation::softmax}}};
}

SavedMixture small_mixture() {
  const std::vector<std::string> class_names{"cat", "car"};
  const std::vector<Groups::Group> groups{{"natural", {"cat"}}, {"artificial", {"car"}}};
  Mixture model{small("baseline", 2), small("gate", 2), {}};
  for (const Groups::Group& group : groups) {
    model.branches.push_back({group.name,
                              small("expert-" + group.name, 2),
                              {"importance-" + group.name,
                               {4, 4, 3},
                               {Flatten{"flatten"}, Dense{"output", 4, Activation::softmax},
                                Reshape{"reshape", {2, 2}}}}});
  }
  return {model, MixtureWeights(model), class_names, groups};
}

/// Writes files of the version without a digest: with a digest, every mutation is refused before it
/// is read.
void write_model_files(const fs::path& folder) {
  fs::create_directories(folder);
  const auto save = [&](const char* name, const AnyModel& model) {
    const fs::path file = folder / fmt::format("good-{}", name);
    write_model(file, model);
    const Safetensors whole = Safetensors::read(file);
    TensorMetadata metadata = whole.metadata();
    metadata.erase("sha256");
    metadata["format"] = "sluice 2";
    write_file(file, written_again(whole, metadata));
  };
  const auto initialized = [](SavedModel saved) {
    saved.weights.initialize(0, 0);
    return saved;
  };
  const Sequential network = small("cnn", 3);
  save("network", initialized({network, Weights(network), {"a", "b", "größe"}}));
  Sequential frozen = network;
  frozen.frozen = {"conv", "output/bias"};
  save("frozen", initialized({frozen, Weights(frozen), {"a", "b", "c"}}));
  const Sequential dense{"dense", {2}, {Dense{"output", 2, Activation::softmax}}};
  save("dense", initialized({dense, Weights(dense), {"a", "b"}}));
  SavedMixture mixture = small_mixture();
  for (Weights* part : mixture.weights.parts()) part->initialize(0, 0);
  save("mixture", mixture);
  write_model(folder / "good-digest", initialized({dense, Weights(dense), {"a", "b"}}));
}

void write_keras(const fs::path& folder) {
  fs::create_directories(folder);
  const Sequential network = small("cnn", 3);
  export_keras(folder / "good-network", SavedModel{network, Weights(network), {"a", "b", "c"}});
}

/// Writes an export, and the smaller files of PyTorch.
void write_onnx(const fs::path& folder, const fs::path& files) {
  fs::create_directories(folder);
  const Sequential network = small("cnn", 3);
  export_onnx(folder / "good-network", SavedModel{network, Weights(network), {"a", "b", "c"}});
  for (const auto& entry : fs::directory_iterator(files)) {
    constexpr std::uint64_t kLargest = 6'000;
    if (entry.path().extension() != ".onnx") continue;
    const std::string bytes = read_file(entry.path(), 1 << 20);
    if (bytes.size() < kLargest) write(folder, entry.path().filename(), bytes);
  }
}

/// Writes the answers of the child process for real Keras files.
void write_flattened(const fs::path& folder, const fs::path& files) {
  for (const auto& entry : fs::directory_iterator(files)) {
    // Skips the script that made them, and a file that needs the names of its parts.
    if (entry.path().extension() == ".py" || entry.path().stem() == "mixture-unnamed") continue;
    const KerasFile file = read_keras_file(entry.path());
    const std::string bytes = written_again(file.tensors, file.tensors.metadata());
    constexpr std::size_t kLargest = 40'000;  // the fuzzer mutates small seeds more often
    if (bytes.size() < kLargest) write(folder, entry.path().filename(), bytes);
  }
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: {} FOLDER\n", argv[0]);
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  try {
    sluice::write_checkpoints(folder / "checkpoint");
    sluice::write_cifar(folder / "cifar");
    sluice::write_experiments(folder / "experiment");
    sluice::write_images(folder / "image");
    sluice::write_results(folder / "results");
    sluice::write_tensors(folder / "safetensors");
    sluice::write_model_files(folder / "model_file");
    sluice::write_keras(folder / "keras");
    sluice::write_flattened(folder / "keras_flattened", "tests/keras");
    sluice::write_onnx(folder / "onnx", "tests/onnx");
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}

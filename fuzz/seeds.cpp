// Writes small valid files, from which the fuzzer starts. Run it again, in the repository's root,
// when a format changes: fuzz_seeds fuzz/corpus.

#include <fmt/format.h>
#include <tiffio.h>
#include <turbojpeg.h>
#include <webp/encode.h>

#include "base/digest.h"
#include "base/files.h"
#include "data/arrays/array_files_testing.h"
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
  Checkpoints checkpoints(place / "checkpoints", {"seed = 0\n", "data", [] { return "machine"; }});
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

void write_arrays(const fs::path& corpus) {
  const std::string pixels(2 * 3072, '\x41');
  write(corpus / "pickle", "two", make_cifar_pickle({1, 2}, pixels));
  const std::string images = make_idx({2, 2, 3}, "abcdefghijkl");
  write(corpus / "idx", "images", images);
  write(corpus / "idx", "images.gz", gzip(images));
  const std::string array = make_npy("|u1", "(2, 1, 3)", "abcdef");
  write(corpus / "npy", "bytes", array);
  write(corpus / "npy", "planes", make_npy("|u1", "(1, 3, 1, 2)", "abcdef"));
  write(corpus / "npy", "floats", make_npy("<f4", "(1, 1, 1)", std::string(4, '\0')));
  write(corpus / "npy", "labels", make_npy("<i8", "(2,)", std::string(16, '\0')));
  const std::map<std::string, std::string> arrays{{"x.npy", array}, {"y.npy", array}};
  write(corpus / "npz", "stored", make_zip(arrays, false));
  write(corpus / "npz", "deflated", make_zip(arrays, true));
  const std::string tar = make_tar({{"a/one", "first"}, {"x", "second"}, {"three", ""}});
  write(corpus / "tar", "plain", tar);
  write(corpus / "tar", "gzip", gzip(tar));
  write(corpus / "csv", "header", "label,file,split\ncat,1.jpg,train\ndog,\"a,\"\"b\",test\n");
  write(corpus / "csv", "plain", "1.jpg;cat\n2.jpg;dog\n");
}

void write_experiments(const fs::path& folder) {
  for (const char* name : {"lab", "full"}) {
    write(folder, name, read_file(fmt::format("experiments/{}.toml", name), 1 << 20));
  }
  const Experiment lab = read_experiment("experiments/lab.toml");
  write(folder, "every-key", to_toml(lab));
  write(folder, "layers", R"([[model.layers]]
class_name = "Conv2D"
name = "a"
filters = 4
kernel_size = [3, 2]
[[model.layers]]
class_name = "LeakyReLU"
[[model.layers]]
class_name = "GlobalMaxPooling2D"
inputs = ["a"]
name = "b"
[[model.layers]]
class_name = "Flatten"
inputs = ["layer2"]
[[model.layers]]
class_name = "Concatenate"
inputs = ["b", "layer4"]
)");
  write(folder, "experts", R"([[model.layers]]
class_name = "Flatten"
name = "a"
[[model.layers]]
class_name = "Dense"
units = 2
[[model.layers]]
class_name = "MixtureOfExperts"
inputs = ["a", "layer2"]
experts = 2
top_k = 1
normalize_weights = true
balance_loss = 0.5
gate_loss = 0.5
expert_of_class = [0, 1, 1]
temperature = 0.5
noise = 0.5
bias_rate = 0.5
[[model.layers.expert]]
class_name = "Dense"
units = 3
)");
  write(folder, "mixed-kernels", R"([[model.layers]]
class_name = "CondConv2D"
filters = 4
kernels = 2
kernel_size = 1
use_bias = false
[[model.layers]]
class_name = "GlobalMaxPooling2D"
)");
  write(folder, "cascade", R"([[model.layers]]
class_name = "Flatten"
name = "a"
[[model.layers]]
class_name = "Dense"
units = 2
[[model.layers]]
class_name = "Cascade"
inputs = ["a", "layer2"]
experts = 2
expert_of_class = [0, 1]
share = 0.5
training_share = 0.5
first_loss = 0.5
[[model.layers.expert]]
class_name = "Dense"
units = 2
)");
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
  using std::string_literals::operator""s;
  const std::string exif = "II*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"s;
  write(folder, "turned.jpg",
        jpeg(TJPF_RGB, TJSAMP_420, 0)
            .insert(2,
                    "\xff\xe1\0\x22"
                    "Exif\0\0"s +
                        exif));
  write(folder, "two.gif",
        "GIF89a\2\0\1\0\x80\0\0\x0a\x14\x1e\xc8\x64\x32\x21\xf9\4\1\0\0\1\0"
        "\x2c\0\0\0\0\2\0\1\0\0\2\2\x0c\x0a\0\x3b"s);
  write(folder, "rows.bmp",
        "BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\2\0\0\0\2\0\0\0\1\0\x18\0\0\0\0\0\x10\0\0\0"s +
            std::string(16, '\0') + "\7\x08\x09\x0a\x0b\x0c\0\0\1\2\3\4\5\6\0\0"s);
  write(folder, "runs.bmp",
        "BM\x4e\0\0\0\0\0\0\0\x42\0\0\0\x28\0\0\0\4\0\0\0\2\0\0\0\1\0\x08\0\1\0\0\0"s +
            "\0\0\0\0\0\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\1\1\1\0\2\2\2\0\3\3\3\0"s +
            "\3\2\0\0\0\3\1\0\2\0\0\1"s);
  const std::vector<std::uint8_t> half(4 * kHeight * kWidth, 0x70);
  for (const bool lossless : {true, false}) {
    std::uint8_t* bytes = nullptr;
    const std::size_t size =
        lossless ? WebPEncodeLosslessRGBA(half.data(), kWidth, kHeight, 4 * kWidth, &bytes)
                 : WebPEncodeRGBA(half.data(), kWidth, kHeight, 4 * kWidth, 80, &bytes);
    write(folder, lossless ? "lossless.webp" : "lossy.webp",
          std::string(reinterpret_cast<char*>(bytes), size));
    WebPFree(bytes);
  }
  for (const auto& [name, compression] :
       {std::pair{"rows.tif", COMPRESSION_NONE}, {"lzw.tif", COMPRESSION_LZW}}) {
    const ScratchFolder place;
    TIFF* file = TIFFOpen((place / "a").c_str(), "w");
    TIFFSetField(file, TIFFTAG_IMAGEWIDTH, kWidth);
    TIFFSetField(file, TIFFTAG_IMAGELENGTH, kHeight);
    TIFFSetField(file, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(file, TIFFTAG_SAMPLESPERPIXEL, 3);
    TIFFSetField(file, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
    TIFFSetField(file, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(file, TIFFTAG_COMPRESSION, compression);
    for (std::uint32_t y = 0; y < kHeight; ++y) {
      TIFFWriteScanline(file, pixels.data() + 3 * kWidth * y, y, 0);
    }
    TIFFClose(file);
    write(folder, name, read_file(place / "a", 1 << 20));
  }
}

/// Three images of five bytes, their checksums, and why the second is broken.
void write_decoded(const fs::path& folder) {
  std::string file = "one..XXXXXthree";
  for (const std::size_t row : {0, 1, 2}) {
    const std::uint64_t sum =
        quick_sum({reinterpret_cast<const std::uint8_t*>(file.data()) + 5 * row, 5});
    file.append(reinterpret_cast<const char*>(&sum), sizeof sum);
  }
  write(folder, "whole", file);
  write(folder, "fault", file + "1 is a HEIC picture\n");
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
  MixtureOfExperts experts{"experts", {}, 1, true, 0.5, 0.5, {0, 1}, 0.5, 0.5, 0.5};
  for (const char* name : {"a", "b"}) experts.experts.push_back({name, {}, dense.layers});
  experts.experts[1].frozen = {"output/bias"};
  const Sequential routed{
      "routed", {2}, {Dense{"gate", 2}, experts}, {{"experts", {"images", "gate"}}}};
  save("experts", initialized({routed, Weights(routed), {"a", "b"}}));
  const Sequential mixed{
      "mixed", {1, 1, 2}, {CondConv2D{"mixed", 2, 2, 1}, GlobalMaxPooling2D{"pool"}}};
  save("mixed-kernels", initialized({mixed, Weights(mixed), {"a", "b"}}));
  const Sequential cascaded{"cascaded",
                            {2},
                            {Dense{"first", 2}, Cascade{"cascade", {{"a", {}, dense.layers}}}},
                            {{"cascade", {"images", "first"}}}};
  save("cascade", initialized({cascaded, Weights(cascaded), {"a", "b"}}));
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
    sluice::write_arrays(folder);
    sluice::write_decoded(folder / "decoded");
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

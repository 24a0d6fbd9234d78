#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "formats/hdf5/writer.h"
#include "formats/keras/zip.h"
#include "formats/model/model_file_testing.h"
#include "sluice/exchange.h"
#include "sluice/lab/models.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

/// What tests/keras/make.py wrote with real Keras.
std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path(SLUICE_SOURCE_DIR) / "tests/keras" / name;
}

SavedModel import_one(const std::filesystem::path& file, const KerasOptions& options = {}) {
  return std::get<SavedModel>(import_keras(file, options));
}
std::string refusal(const std::filesystem::path& file, const KerasOptions& options = {}) {
  const std::string what = error_of(Fault::user, [&] { import_keras(file, options); });
  const std::string common = "[keras] " + file.string();
  EXPECT_EQ(what.rfind(common, 0), 0u) << what;
  return what.substr(std::min(what.size(), common.size()));
}

/// make.py's rule: the i-th value of the t-th tensor is t + i / 1000.
void expect_numbered(const Weights& weights, int first = 0) {
  int t = first;
  for (const Weights::Tensor& tensor : weights.tensors()) {
    const auto values = weights.values(tensor);
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_FLOAT_EQ(values[i], static_cast<float>(t + static_cast<double>(i) / 1000))
          << tensor.layer << " " << tensor.kind << " " << i;
    }
    ++t;
  }
}

std::string layers_of(const Sequential& model) {
  std::string all;
  for (const LayerSummary& layer : summarize(model)) {
    all += layer.name + " " + layer.type + " " + to_string(layer.output) + "\n";
  }
  return all;
}

TEST(KerasImport, ModelsOfKeras3) {
  for (const char* name : {"tiny.keras", "tiny.h5", "trained.keras"}) {
    SCOPED_TRACE(name);
    const SavedModel saved = import_one(fixture(name));
    EXPECT_EQ(saved.model.input, (Shape{4, 4, 3}));
    EXPECT_EQ(saved.model.name, "sequential");
    EXPECT_EQ(
        layers_of(saved.model),
        "conv1.1 Conv2D (4, 4, 2)\nmax_pooling2d MaxPooling2D (2, 2, 2)\n"
        "dropout Dropout (2, 2, 2)\nflatten Flatten (8)\ndense Dense (4)\ndense_1 Dense (3)\n");
    EXPECT_EQ(std::get<Conv2D>(saved.model.layers[0]).activation, Activation::relu);
    EXPECT_FLOAT_EQ(std::get<Dropout>(saved.model.layers[2]).rate, 0.25f);
    EXPECT_EQ(std::get<Dense>(saved.model.layers[5]).activation, Activation::softmax);
    EXPECT_TRUE(saved.class_names.empty());
    expect_numbered(saved.weights);
  }
}

TEST(KerasImport, AFunctionalChain) {
  const SavedModel saved = import_one(fixture("chain.keras"));
  EXPECT_EQ(saved.model.name, "chain");
  EXPECT_EQ(saved.model.layers.size(), 6u);
  EXPECT_EQ(std::get<ActivationLayer>(saved.model.layers[1]).activation, Activation::relu);
  EXPECT_EQ(std::get<ActivationLayer>(saved.model.layers[4]).activation, Activation::softmax);
  EXPECT_EQ(std::get<Reshape>(saved.model.layers[5]).target, (Shape{3, 2}));
  expect_numbered(saved.weights);
}

TEST(KerasImport, ModelsInModelsAreOneChain) {
  // In a legacy file weights that are not trained come last: names tell them apart, not places.
  for (const char* name : {"nested.keras", "nested.h5", "nested-keras2.h5"}) {
    SCOPED_TRACE(name);
    KerasOptions options;
    std::vector<std::string> said;
    options.say = [&](const std::string& line) { said.push_back(line); };
    const SavedModel saved = import_one(fixture(name), options);
    EXPECT_EQ(layers_of(saved.model),
              "one Conv2D (4, 4, 3)\ntwo Conv2D (4, 4, 3)\nflatten Flatten (48)\n"
              "head_two Dense (3)\n");
    expect_numbered(saved.weights);
    ASSERT_EQ(said.size(), 1u);
    EXPECT_THAT(said[0], testing::EndsWith(": 'head/two' is 'head_two'"));
  }
}

TEST(KerasImport, AnAdaptedNormalization) {
  for (const char* name : {"adapted.keras", "adapted.h5"}) {
    SCOPED_TRACE(name);
    KerasOptions options;
    std::string said;
    options.say = [&](const std::string& line) { said += line; };
    const SavedModel saved = import_one(fixture(name), options);
    const auto& layer = std::get<Normalization>(saved.model.layers.at(0));
    EXPECT_DOUBLE_EQ(layer.mean[1], 101 / 255.0);
    EXPECT_DOUBLE_EQ(layer.variance[2], 16 / 65025.0);
    EXPECT_THAT(said, HasSubstr("' takes pictures of 0 to 255"));
    expect_numbered(saved.weights);

    options.pixels = PixelInput{0, 255};
    const SavedModel given = import_one(fixture(name), options);
    EXPECT_EQ(std::get<Rescaling>(given.model.layers.at(0)).scale, 255);
    EXPECT_EQ(std::get<Normalization>(given.model.layers.at(1)).mean[1], 101);
  }
}

TEST(KerasImport, ArithmeticInPlaceOfLayers) {
  for (const char* name : {"arithmetic.keras", "arithmetic.h5", "arithmetic-keras2.h5"}) {
    SCOPED_TRACE(name);
    KerasOptions options;
    std::string said;
    options.say = [&](const std::string& line) { said += line; };
    const SavedModel saved = import_one(fixture(name), options);
    std::string types;
    for (const LayerSummary& layer : summarize(saved.model)) types += layer.type + " ";
    EXPECT_EQ(types, "Conv2D Add Rescaling Flatten Dense Activation ")
        << "pixels are divided already";
    EXPECT_EQ(std::get<Rescaling>(saved.model.layers[2]).scale, 2);
    EXPECT_EQ(said, fixture(name).string() + ": its outputs are logits: a softmax is added");
    expect_numbered(saved.weights);
  }
}

TEST(KerasImport, HalfPrecisionAndADictionaryOfOneOutput) {
  KerasOptions options;
  std::string said;
  options.say = [&](const std::string& line) { said += line; };
  const SavedModel saved = import_one(fixture("bfloat16.keras"), options);
  const auto values = saved.weights.values();
  ASSERT_EQ(values.size(), 48u * 3 + 3);
  EXPECT_EQ(values[0], 0);
  EXPECT_EQ(values[1], 0x1.06p-10f) << "0.001 in bfloat16";
  EXPECT_EQ(values[144], 1);
  EXPECT_EQ(said, fixture("bfloat16.keras").string() +
                      ": Keras computes it in bfloat16, Sluice in float32");
}

TEST(KerasImport, WeightsThatAreNotFinite) {
  const ScratchFolder temp;
  const Sequential model{"m", {2, 2, 3}, {Flatten{"f"}, Dense{"d", 2}}};
  for (const float value : {std::nanf(""), -std::numeric_limits<float>::infinity()}) {
    SavedModel saved{model, Weights(model), {}};
    saved.weights.values().back() = value;
    export_keras(temp / "m.keras", saved);
    EXPECT_EQ(error_of(Fault::user, [&] { import_keras(temp / "m.keras"); }),
              "[model] " + (temp / "m.keras").string() +
                  ": 1 of the 2 values of tensor 'd/bias' are NaN or infinite, and so would be its "
                  "answers: train it again, with a lower learning rate");
  }
}

KerasOptions grouped(std::map<std::string, std::string> parts = {}) {
  KerasOptions options;
  options.groups = {"b", "a"};
  options.parts = std::move(parts);
  return options;
}

void expect_parts(const SavedMixture& mixture) {
  ASSERT_EQ(mixture.groups.size(), 2u);
  EXPECT_EQ(mixture.groups[0].name, "b");
  EXPECT_EQ(mixture.model.branches[1].expert.name, "expert-a");
  expect_numbered(mixture.weights.baseline, 0);
  expect_numbered(mixture.weights.gate, 10);
  for (int g = 0; g < 2; ++g) {
    expect_numbered(mixture.weights.experts[g], 20 + 10 * g);
    expect_numbered(mixture.weights.importances[g], 40 + 10 * g);
  }
}

TEST(KerasImport, MixturesOfNestedModels) {
  for (const char* name : {"mixture.keras", "mixture-keras2.keras", "mixture-keras2.h5"}) {
    SCOPED_TRACE(name);
    expect_parts(std::get<SavedMixture>(import_keras(fixture(name), grouped())));
  }
}

TEST(KerasImport, PartsByOtherNames) {
  const auto file = fixture("mixture-unnamed.keras");
  const std::string unnamed = refusal(file, grouped());
  EXPECT_THAT(unnamed, HasSubstr(" has no model named 'baseline' for the baseline: it has "));
  EXPECT_THAT(unnamed, HasSubstr(" (CNN with 2 outputs), "));
  EXPECT_THAT(unnamed, HasSubstr(" (dense layers with 6 outputs)"));
  EXPECT_THAT(unnamed, HasSubstr(": say which is which by --part baseline=NAME --part gate=NAME "
                                 "--part expert-b=NAME --part importance-b=NAME "));

  // Keras counted from the models made before these; only the order is sure.
  const std::size_t begin = unnamed.find("sequential_");
  ASSERT_NE(begin, std::string::npos);
  std::vector<int> numbers;
  for (std::size_t at = begin; at != std::string::npos && at < unnamed.find(": say");
       at = unnamed.find("sequential_", at + 1)) {
    numbers.push_back(std::stoi(unnamed.substr(at + 11)));
  }
  std::sort(numbers.begin(), numbers.end());
  ASSERT_EQ(numbers.size(), 6u) << unnamed;
  std::map<std::string, std::string> parts;
  const char* names[] = {"baseline", "gate",         "expert-b",
                         "expert-a", "importance-b", "importance-a"};
  for (int i = 0; i < 6; ++i) parts[names[i]] = "sequential_" + std::to_string(numbers[i]);
  expect_parts(std::get<SavedMixture>(import_keras(file, grouped(parts))));

  parts["expert-c"] = "x";
  EXPECT_EQ(refusal(file, grouped(parts)),
            ": 'expert-c' is no part of this mixture: its parts are baseline, gate, expert-b, "
            "importance-b, expert-a, importance-a");
  parts.erase("expert-c");
  std::swap(parts["gate"], parts["baseline"]);
  EXPECT_THAT(refusal(file, grouped(parts)),
              HasSubstr("gate gives (3), but this mixture needs (2)"));
}

TEST(KerasImport, GroupsMustBeKnown) {
  const auto file = fixture("mixture.keras");
  EXPECT_THAT(refusal(file), HasSubstr(" does not say which group each output of the gate stands "
                                       "for: say it; it has the models "));
  KerasOptions options;
  options.groups = {"a"};
  EXPECT_EQ(refusal(file, options), ": a mixture has two groups at least, not 1");
  options.groups = {"a", "a"};
  EXPECT_EQ(refusal(file, options), ": two groups are named 'a'");
  options.groups = {"a", "../b"};
  EXPECT_EQ(refusal(file, options), ": '../b' is no group's name: use letters, digits, - and _");
}

TEST(KerasImport, WeightsAloneAreRecognised) {
  // Fixed-length strings, and lists split in two, as Keras writes very long ones.
  KerasOptions options;
  options.input = {4, 4, 3};
  std::string said;
  options.say = [&](const std::string& line) { said += line; };
  const SavedModel saved = import_one(fixture("split-names.h5"), options);
  EXPECT_EQ(layers_of(saved.model), layers_of(importance_model("model", {4, 4, 3}, 3)));
  EXPECT_EQ(said, fixture("split-names.h5").string() +
                      " has weights alone: they are taken for the lab's: Flatten, Dense 512 relu, "
                      "Dense 6 softmax, Reshape; where activations or pools are others, save a "
                      "Sequential or Functional model as a .keras file");
  const auto& tensors = saved.weights.tensors();
  EXPECT_EQ(saved.weights.values(tensors[1])[511], 0.5f);
  EXPECT_EQ(saved.weights.values(tensors[2])[3071], 1);
  EXPECT_EQ(saved.weights.values(tensors[3])[0], 1.5f);
  EXPECT_EQ(refusal(fixture("split-names.h5")),
            ": layer 'first' has a kernel of (48, 512), but dense1 of the model has (3072, 512)");
}

/// A .weights.h5 file as Keras writes it for one of the lab's CNNs; the layers have no names of
/// their own.
std::string weights_file(const Sequential& model, const Weights& weights, bool names) {
  Hdf5Writer file;
  int conv = 0, dense = 0;
  for (std::size_t t = 0; t < weights.tensors().size(); t += 2) {
    const Weights::Tensor& kernel = weights.tensors()[t];
    const Weights::Tensor& bias = weights.tensors()[t + 1];
    const bool is_conv = kernel.shape.size() == 4;
    int& count = is_conv ? conv : dense;
    const std::string key = is_conv ? "conv2d" : "dense";
    const std::string path =
        fmt::format("layers/{}{}/vars", key, count == 0 ? "" : fmt::format("_{}", count));
    ++count;
    file.dataset(path + "/0", kernel.shape, weights.values(kernel));
    file.dataset(path + "/1", bias.shape, weights.values(bias));
    if (names) file.attribute(path, "name", kernel.layer);
  }
  (void)model;
  return file.bytes();
}

TEST(KerasImport, TheLabsCnnsByTheirShapes) {
  const ScratchFolder temp;
  KerasOptions options;
  options.input = {8, 8, 3};
  for (const CnnSize size : {CnnSize::small, CnnSize::large}) {
    const Sequential model = cnn("model", options.input, 7, size);
    Weights weights(model);
    weights.initialize(1, 1);
    save(temp / "w.h5", weights_file(model, weights, size == CnnSize::small));
    const SavedModel back = import_one(temp / "w.h5", options);
    EXPECT_EQ(layers_of(back.model), layers_of(model));
    EXPECT_EQ(std::memcmp(back.weights.values().data(), weights.values().data(),
                          weights.values().size_bytes()),
              0);
  }
  EXPECT_THAT(refusal(temp / "w.h5"), HasSubstr(": layer 'dense' has a kernel of (128, 512), but "
                                                "dense1 of the model has (2048, 512)"));
  const Sequential other{"o", {8, 8, 3}, {Flatten{"f"}, Dense{"d", 3}}};
  save(temp / "w.h5", weights_file(other, Weights(other), true));
  EXPECT_EQ(refusal(temp / "w.h5", options),
            " has weights alone; its 1 layers with weights are those of none of the lab's models: "
            "save a Sequential or Functional model as a .keras file");
}

/// tiny.keras with one of its members changed.
class Changed : public testing::Test {
 protected:
  Changed()
      : members_(read_zip(
            load(fixture("tiny.keras")),
            {{"metadata.json", 1 << 20}, {"config.json", 1 << 20}, {"model.weights.h5", 1 << 20}},
            "tiny")) {}

  std::filesystem::path write() const {
    std::vector<ZipMember> members;
    for (const auto& [name, bytes] : members_) members.push_back({name, bytes});
    save(temp_ / "m.keras", to_zip(members));
    return temp_ / "m.keras";
  }
  void replace(const std::string& from, const std::string& to) {
    std::string& config = members_["config.json"];
    const std::size_t at = config.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    config.replace(at, from.size(), to);
  }

  ScratchFolder temp_;
  std::map<std::string, std::string> members_;
};

TEST_F(Changed, ShapesThatDoNotFit) {
  replace("\"filters\": 2", "\"filters\": 5");
  EXPECT_EQ(refusal(write()),
            ": layer 'conv1.1' has a kernel of (3, 3, 3, 2), but conv1.1 of the model has "
            "(3, 3, 3, 5)");
  replace("\"filters\": 5", "\"filters\": 16000000");
  EXPECT_THAT(refusal(write()),
              HasSubstr("layer 'conv1.1' does not fit: filters must be from 1 to 65536"))
      << "and no memory was taken for it";
}

TEST_F(Changed, WhatNoFileOfOursCanHave) {
  replace("\"kernel_size\": [3, 3]", "\"kernel_size\": [65, 65]");
  EXPECT_THAT(error_of(Fault::user, [&] { import_keras(write()); }),
              HasSubstr("kernel_size must be from 1 to 64, not 65"));
}

TEST_F(Changed, NamesThatDoNotFit) {
  replace("\"conv1.1\"", "\"conv9\"");
  EXPECT_EQ(refusal(write()),
            ": where the weights of layer 'conv9' should be, are those of 'conv1.1'");
}

TEST_F(Changed, SubclassedModels) {
  members_["config.json"] = R"({"class_name":"Net","config":{"units":4}})";
  EXPECT_EQ(refusal(write()),
            " is a subclassed model (Net), whose layers only its Python code tells; its 3 layers "
            "with weights are those of none of the lab's models: save a Sequential or Functional "
            "model as a .keras file");
}

TEST_F(Changed, NestedModelsThatAreNoMixture) {
  members_["model.weights.h5"] = read_zip(load(fixture("nested.keras")),
                                          {{"model.weights.h5", 1 << 20}}, "n")["model.weights.h5"];
  members_["config.json"] = R"({"class_name":"Net","config":{}})";
  EXPECT_EQ(refusal(write(), grouped()),
            " has the nested models features (CNN with 3 outputs), head (dense layers with 3 "
            "outputs): a mixture of these groups has 6, baseline, gate, expert-b, importance-b, "
            "expert-a, importance-a, and one network of nested models is read from a file that "
            "tells their order: save it whole, as a .keras file");
}

TEST_F(Changed, SettingsAreNamedWithTheirLayer) {
  replace("\"groups\": 1", "\"groups\": 2");
  EXPECT_EQ(refusal(write()), ": layer 'conv1.1' has groups 2; Sluice computes 1");
}

TEST_F(Changed, MissingMembers) {
  auto weights = members_.extract("model.weights.h5");
  EXPECT_EQ(refusal(write()), " has no model.weights.h5: is it a .keras file of Keras 3?");
  members_.insert(std::move(weights));
  members_.erase("config.json");
  EXPECT_EQ(refusal(write()), " has no config.json: is it a .keras file of Keras 3?");
}

TEST_F(Changed, ConfigurationsOfAStranger) {
  members_["config.json"] = std::string(1000, '[');
  EXPECT_EQ(refusal(write()), ": config.json is nested deeper than 64: is it of a model?");
  members_["config.json"] = "{";
  EXPECT_EQ(refusal(write()), ": config.json is not valid JSON at byte 2");
  members_["config.json"] = "{\"a\": \"\xff\"}";
  EXPECT_THAT(refusal(write()), HasSubstr(" is damaged: "));
  members_["config.json"] = std::string(17 << 20, ' ');
  EXPECT_THAT(refusal(write()), HasSubstr(": config.json is larger than 16777216 bytes"));
}

TEST_F(Changed, NotesOfAStranger) {
  const auto with = [&](const std::string& sluice) {
    members_["metadata.json"] = R"({"sluice":)" + sluice + "}";
    return write();
  };
  const std::string rest = R"(,"normalization":"{\"scale\":0.00392156862745098,\"offset\":0}"})";
  EXPECT_EQ(import_one(with(R"({"class_names":"[\"a\",\"b\",\"c\"]")" + rest)).class_names,
            (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(import_one(with("{}")).class_names.empty());
  EXPECT_EQ(refusal(with("7")), ": its notes of sluice are no JSON object");
  EXPECT_EQ(refusal(with(R"({"class_names":["a"]})")),
            ": its notes of sluice: class_names is no text");
  const auto say = [&](const std::string& sluice) {
    return error_of(Fault::user, [&] { import_keras(with(sluice)); });
  };
  EXPECT_THAT(say(R"({"class_names":"[\"a\"]")" + rest),
              HasSubstr("class_names in its metadata must be a list of 3 names, one for each"));
  EXPECT_THAT(say(R"({"class_names":"[\"a\",\"b\",\"c\"]"})"),
              HasSubstr("its metadata has no normalization"));
}

TEST(KerasImport, WhatIsNoKerasFile) {
  const ScratchFolder temp;
  save(temp / "f.keras", "\x89PNG\r\n\x1a\n");
  EXPECT_THAT(refusal(temp / "f.keras"),
              HasSubstr(" is a PNG picture, not a model that Keras saved (.keras or .h5): "));
  save(temp / "f.keras", "\x01\x02");
  EXPECT_THAT(refusal(temp / "f.keras"), HasSubstr(" is a file of unknown kind, not a model"));
  save(temp / "f.keras", "");
  EXPECT_THAT(refusal(temp / "f.keras"), HasSubstr(" is empty, not a model"));
  EXPECT_THAT(refusal(temp / "none"), HasSubstr("No such file"));
  EXPECT_THAT(refusal(temp.path()), HasSubstr("is a folder, not a file"));
}

TEST(KerasImport, TruncatedFilesAreRefused) {
  const ScratchFolder temp;
  for (const char* name : {"tiny.keras", "tiny.h5", "mixture.keras"}) {
    const std::string whole = load(fixture(name));
    for (std::size_t part = 0; part < 12; ++part) {
      save(temp / "f", whole.substr(0, whole.size() * part / 12));
      refusal(temp / "f", name[0] == 'm' ? grouped() : KerasOptions{});
    }
  }
}

}  // namespace
}  // namespace sluice

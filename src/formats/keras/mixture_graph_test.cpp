#include "formats/keras/mixture_graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "mixture/sub_gate.h"
#include "sluice/lab/models.h"

namespace sluice {
namespace {

constexpr int kOutputs = 3;

Mixture mixture_of(int groups) {
  const auto part = [](const std::string& name, int outputs) {
    return Sequential{name, {2, 2, 1}, {Flatten{"flatten"}, Dense{"output", outputs}}};
  };
  Mixture model{part("baseline", kOutputs), part("gate", groups), {}};
  for (int g = 0; g < groups; ++g) {
    const std::string group(1, static_cast<char>('z' - g));
    model.branches.push_back({group, part("expert-" + group, kOutputs),
                              importance_model("importance-" + group, {2, 2, 1}, kOutputs)});
  }
  return model;
}

/// Computes a graph for one image as Keras would, from what the parts give.
class Evaluator {
 public:
  using Values = std::vector<float>;

  explicit Evaluator(std::map<std::string, Values> parts) : values_(std::move(parts)) {}

  Values run(const std::vector<KerasNode>& nodes) {
    for (const KerasNode& node : nodes) {
      for (const std::string& input : node.inputs) {
        shapes_.at(input);  // Keras's order has inputs first
      }
      if (node.class_name != "InputLayer" && node.part == nullptr) compute(node);
      shapes_[node.name] = node.output;
    }
    return values_.at(nodes.back().name);
  }

 private:
  void compute(const KerasNode& node) {
    const Values& in = values_.at(node.inputs[0]);
    const Shape& shape = shapes_.at(node.inputs[0]);
    const KerasJson& config = node.object["config"];
    Values& out = values_[node.name];
    const auto each = [&](auto function) {
      for (const float x : in) out.push_back(function(x));
    };
    if (node.class_name == "Reshape") {
      out = in;
    } else if (node.class_name == "Permute") {
      for (int c = 0; c < shape[1]; ++c) {
        for (int r = 0; r < shape[0]; ++r) out.push_back(in[r * shape[1] + c]);
      }
    } else if (node.class_name == "Cropping1D") {
      const int first = config["cropping"][0].get<int>() * static_cast<int>(shape[1]);
      const int last = config["cropping"][1].get<int>() * static_cast<int>(shape[1]);
      out.assign(in.begin() + first, in.end() - last);
    } else if (node.class_name == "Rescaling") {
      each([&](float x) {
        return x * config["scale"].get<float>() + config["offset"].get<float>();
      });
    } else if (node.class_name == "ReLU") {
      each([&](float x) { return std::clamp(x, 0.f, config["max_value"].get<float>()); });
    } else {
      const Values& other = values_.at(node.inputs.at(1));
      for (std::size_t i = 0; i < in.size(); ++i) {
        const float a = in[i], b = other[other.size() == 1 ? 0 : i];
        out.push_back(node.class_name == "Add"        ? a + b
                      : node.class_name == "Subtract" ? a - b
                      : node.class_name == "Multiply" ? a * b
                      : node.class_name == "Maximum"  ? std::max(a, b)
                                                      : throw std::invalid_argument(node.name));
      }
    }
    EXPECT_EQ(static_cast<std::int64_t>(out.size()), element_count(node.output)) << node.name;
  }

  std::map<std::string, Values> values_;
  std::map<std::string, Shape> shapes_;
};

/// The graph for one gate output, beside what the mixture itself computes.
void expect_routed(const std::vector<float>& gate) {
  const Mixture model = mixture_of(static_cast<int>(gate.size()));
  const std::vector<float> baseline{.5f, .3f, .2f};
  std::map<std::string, std::vector<float>> parts{{"baseline", baseline}, {"gate", gate}};
  for (std::size_t g = 0; g < gate.size(); ++g) {
    const float v = 0.01f * static_cast<float>(g + 1);
    parts["expert-" + model.branches[g].group] = {v, 2 * v, 1 - 3 * v};
    parts["importance-" + model.branches[g].group] = {v, .1f, .2f, .3f, 5 * v, .4f};
  }
  const std::string& group = model.branches[chosen_group(gate)].group;
  std::vector<float> expected(kOutputs);
  sub_gate(baseline.data(), parts.at("expert-" + group).data(),
           parts.at("importance-" + group).data(), kOutputs, expected.data());
  const auto found = Evaluator(parts).run(mixture_graph(model));
  ASSERT_EQ(found.size(), expected.size());
  for (int c = 0; c < kOutputs; ++c) {
    EXPECT_FLOAT_EQ(found[c], expected[c]) << testing::PrintToString(gate);
  }
}

TEST(MixtureGraph, RoutesAsTheMixtureDoes) {
  expect_routed({.7f, .3f});
  expect_routed({.3f, .7f});
  expect_routed({.2f, .5f, .3f});
  expect_routed({.5f, .3f, .2f});
  expect_routed({.1f, .2f, .3f, .4f});
  expect_routed({1, 0, 0});
  expect_routed({1, 1e-38f, 0});
}

TEST(MixtureGraph, OfEqualOutputsTheLastWins) {
  expect_routed({.5f, .5f});
  expect_routed({1.f / 3, 1.f / 3, 1.f / 3});
  expect_routed({.4f, .2f, .4f});
  expect_routed({.4f, .4f, .2f});
  expect_routed({.2f, .4f, .4f});
  expect_routed({.25f, .25f, .25f, .25f});
}

TEST(MixtureGraph, TheSmallestDifferenceDecides) {
  expect_routed({std::nextafter(.5f, 1.f), .5f});
  expect_routed({.5f, std::nextafter(.5f, 1.f)});
  expect_routed({std::nextafter(.25f, 1.f), .25f, .25f, .25f});
  expect_routed({std::nextafter(.001f, 1.f), .001f});
}

std::vector<std::string> parts_in_order(int groups) {
  std::vector<std::string> names;
  for (const KerasNode& node : mixture_graph(mixture_of(groups))) {
    if (node.class_name == "Sequential") names.push_back(node.name);
  }
  return names;
}

TEST(MixtureGraph, OrderIsThatOfModelLayers) {
  // As Keras 3.15 numbers them in model.weights.h5; tools/parity/keras_files.py asks Keras itself.
  EXPECT_EQ(parts_in_order(2), (std::vector<std::string>{"gate", "importance-z", "importance-y",
                                                         "baseline", "expert-z", "expert-y"}));
}

TEST(MixtureGraph, NamesAreDistinctWhateverTheGroups) {
  Mixture model = mixture_of(4);
  const char* groups[] = {"a", "row-of-expert-a", "0-a", "of-a"};
  for (int g = 0; g < 4; ++g) model.branches[g].group = groups[g];
  for (Mixture::Branch& branch : model.branches) {
    branch.expert.name = "expert-" + branch.group;
    branch.importance.name = "importance-" + branch.group;
  }
  const auto nodes = mixture_graph(model);
  std::set<std::string> names;
  for (const KerasNode& node : nodes) EXPECT_TRUE(names.insert(node.name).second) << node.name;
  // Keras 3.0 to 3.3 read this form alone.
  const KerasJson config = functional_config("mixture", nodes);
  EXPECT_EQ(config["config"]["input_layers"], KerasJson::parse(R"([["images",0,0]])"));
  EXPECT_EQ(config["config"]["output_layers"], KerasJson::parse(R"([["output",0,0]])"));
}

}  // namespace
}  // namespace sluice

#include "formats/keras/mixture_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace sluice {

namespace {

/// Two gate outputs of which one is the largest differ by 2^-40 at the least, or not at all.
constexpr double kBeyondOne = 0x1p60;

class Graph {
 public:
  std::string input(const std::string& name, const Shape& shape) {
    nodes_.push_back({name, "InputLayer", keras_input(name, shape), shape, {}});
    return name;
  }
  std::string part(const Sequential& model, const std::string& input) {
    nodes_.push_back({model.name,
                      model.inputs.empty() ? "Sequential" : "Functional",
                      model_config(model),
                      summarize(model).back().output,
                      {input},
                      false,
                      &model});
    return model.name;
  }
  std::string layer(const std::string& name, const std::string& class_name, const KerasJson& config,
                    const Shape& output, const std::string& input) {
    nodes_.push_back({name, class_name, keras_object(class_name, name, config), output, {input}});
    return name;
  }
  std::string reshape(const std::string& name, const Shape& target, const std::string& input) {
    return layer(name, "Reshape", {{"target_shape", target}}, target, input);
  }
  /// One row of (rows, columns).
  std::string row(const std::string& name, std::size_t index, std::size_t rows,
                  std::int64_t columns, const std::string& input) {
    return layer(name, "Cropping1D", {{"cropping", {index, rows - 1 - index}}}, {1, columns},
                 input);
  }
  std::string rescaled(const std::string& name, double scale, double offset, const Shape& shape,
                       const std::string& input) {
    return layer(name, "Rescaling", {{"scale", scale}, {"offset", offset}}, shape, input);
  }
  std::string merge(const std::string& name, const std::string& class_name, const Shape& output,
                    std::vector<std::string> inputs) {
    nodes_.push_back({name, class_name, keras_object(class_name, name, nullptr), output,
                      std::move(inputs), true});
    return name;
  }
  std::vector<KerasNode> take() { return std::move(nodes_); }

 private:
  std::vector<KerasNode> nodes_;
};

/// What a group's sub-gate gives, as a row (1, classes).
std::string add_sub_gate(Graph& graph, std::size_t index, const Mixture::Branch& branch,
                         std::int64_t classes, const std::string& images,
                         const std::string& baseline) {
  const std::string& group = branch.group;
  const Shape row{1, classes};
  const auto expert =
      graph.reshape("row-of-expert-" + group, row, graph.part(branch.expert, images));
  const auto weights = graph.layer("transposed-importance-" + group, "Permute", {{"dims", {2, 1}}},
                                   {2, classes}, graph.part(branch.importance, images));
  const auto of_baseline = graph.row("weight-of-baseline-" + group, 0, 2, classes, weights);
  const auto of_expert = graph.row("weight-of-expert-" + group, 1, 2, classes, weights);
  return graph.merge(
      sub_gate_name(index, group), "Add", row,
      {graph.merge("weighted-baseline-" + group, "Multiply", row, {baseline, of_baseline}),
       graph.merge("weighted-expert-" + group, "Multiply", row, {expert, of_expert})});
}

}  // namespace

std::string sub_gate_name(std::size_t index, const std::string& group) {
  return fmt::format("sub-gate-{}-{}", index, group);
}

std::vector<KerasNode> mixture_graph(const Mixture& model) {
  const std::size_t groups = model.branches.size();
  const std::int64_t classes = summarize(model.baseline).back().output.back();
  const Shape row{1, classes};
  const Shape one{1, 1};
  Graph graph;
  const auto images = graph.input("images", model.baseline.input);
  const auto baseline = graph.reshape("row-of-baseline", row, graph.part(model.baseline, images));
  const auto gate = graph.reshape("gate-rows", {static_cast<std::int64_t>(groups), 1},
                                  graph.part(model.gate, images));
  std::string best;    // the largest gate output so far
  std::string routed;  // what the sub-gate gives that it belongs to
  for (std::size_t g = 0; g < groups; ++g) {
    const std::string& group = model.branches[g].group;
    const auto sub_gate = add_sub_gate(graph, g, model.branches[g], classes, images, baseline);
    const auto gate_output = graph.row("gate-of-" + group, g, groups, 1, gate);
    if (g == 0) {
      best = gate_output;
      routed = sub_gate;
      continue;
    }
    const auto lead = graph.merge("lead-over-" + group, "Subtract", one, {best, gate_output});
    const auto large = graph.rescaled("enlarged-lead-over-" + group, kBeyondOne, 0, one, lead);
    const auto keep =
        graph.layer("keep-before-" + group, "ReLU",
                    {{"max_value", 1.0}, {"negative_slope", 0.0}, {"threshold", 0.0}}, one, large);
    const auto take = graph.rescaled("take-" + group, -1, 1, one, keep);
    routed = graph.merge("routed-up-to-" + group, "Add", row,
                         {graph.merge("kept-before-" + group, "Multiply", row, {routed, keep}),
                          graph.merge("taken-from-" + group, "Multiply", row, {sub_gate, take})});
    if (g + 1 < groups) {
      best = graph.merge("best-up-to-" + group, "Maximum", one, {best, gate_output});
    }
  }
  graph.reshape("output", {classes}, routed);

  return in_keras_order(graph.take());
}

}  // namespace sluice

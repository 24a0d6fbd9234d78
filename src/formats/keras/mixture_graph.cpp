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
                      "Sequential",
                      sequential_config(model),
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

/// Keras's order, by which it numbers layers in model.weights.h5: by the longest way to the output,
/// then as a search from the output first meets them (keras/src/ops/function.py, map_graph).
class KerasOrder {
 public:
  explicit KerasOrder(const std::vector<KerasNode>& nodes) : nodes_(nodes) {
    for (std::size_t i = 0; i < nodes.size(); ++i) index_[nodes[i].name] = i;
    met_.assign(nodes.size(), 0);
    depth_.assign(nodes.size(), 0);
    visit(nodes.size() - 1);
    for (auto node = finished_.rbegin(); node != finished_.rend(); ++node) {
      for (const std::string& input : nodes[*node].inputs) {
        std::size_t& depth = depth_[index_[input]];
        depth = std::max(depth, depth_[*node] + 1);
      }
    }
    std::sort(finished_.begin(), finished_.end(), [&](std::size_t a, std::size_t b) {
      return depth_[a] != depth_[b] ? depth_[a] > depth_[b] : met_[a] < met_[b];
    });
  }

  const std::vector<std::size_t>& order() const { return finished_; }

 private:
  void visit(std::size_t node) {
    if (met_[node] > 0) return;
    met_[node] = ++count_;
    for (const std::string& input : nodes_[node].inputs) visit(index_[input]);
    finished_.push_back(node);
  }

  const std::vector<KerasNode>& nodes_;
  std::map<std::string, std::size_t> index_;
  std::vector<std::size_t> met_;  ///< counted from 1
  std::vector<std::size_t> depth_;
  std::vector<std::size_t> finished_;
  std::size_t count_ = 0;
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

KerasJson argument(const KerasNode& node) {
  return {{"class_name", "__keras_tensor__"},
          {"config",
           {{"shape", batch_shape(node.output)},
            {"dtype", "float32"},
            {"keras_history", {node.name, 0, 0}}}}};
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

  const std::vector<KerasNode> nodes = graph.take();
  std::vector<KerasNode> ordered;
  const KerasOrder order(nodes);
  for (const std::size_t node : order.order()) ordered.push_back(nodes[node]);
  return ordered;
}

KerasJson functional_config(const std::string& name, const std::vector<KerasNode>& nodes) {
  std::map<std::string, const KerasNode*> by_name;
  KerasJson layers = KerasJson::array();
  for (const KerasNode& node : nodes) {
    by_name[node.name] = &node;
    KerasJson arguments = KerasJson::array();
    for (const std::string& input : node.inputs) arguments.push_back(argument(*by_name.at(input)));
    if (node.takes_list) arguments = KerasJson::array({std::move(arguments)});
    KerasJson layer = node.object;
    layer["name"] = node.name;
    layer["inbound_nodes"] = KerasJson::array();
    if (!node.inputs.empty()) {
      layer["inbound_nodes"].push_back(
          KerasJson{{"args", std::move(arguments)}, {"kwargs", KerasJson::object()}});
    }
    layers.push_back(std::move(layer));
  }
  return {{"module", "keras.src.models.functional"},
          {"class_name", "Functional"},
          {"config",
           {{"name", name},
            {"trainable", true},
            {"layers", std::move(layers)},
            {"input_layers", KerasJson::array({KerasJson{nodes.front().name, 0, 0}})},
            {"output_layers", KerasJson::array({KerasJson{nodes.back().name, 0, 0}})}}},
          {"registered_name", "Functional"}};
}

}  // namespace sluice

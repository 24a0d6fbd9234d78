#include <limits>

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"
#include "formats/model/model_notes.h"
#include "formats/onnx/layers.h"
#include "sluice/exchange.h"
#include "sluice/version.h"

namespace sluice {
namespace {

// The newest that Debian 12's checker knows, and older than any runtime of the last years asks for.
constexpr int kIrVersion = 8;
constexpr int kOpset = 17;

/// Protobuf cannot write a longer message.
constexpr std::int64_t kMaxBytes = std::numeric_limits<std::int32_t>::max();

void check_size(std::int64_t bytes, const std::filesystem::path& file) {
  if (bytes > kMaxBytes) {
    throw user_error("onnx",
                     "{}: the model takes {} bytes, and an ONNX file can have {}: make it smaller",
                     path_text(file), bytes, kMaxBytes);
  }
}

std::string graph_name(const std::string& model) {
  return model.empty() ? "model" : printable(model);
}

/// "(batch, 32, 32, 3)"
std::string batch_of(const Shape& shape) {
  std::string text = "(batch";
  for (const std::int64_t size : shape) text += fmt::format(", {}", size);
  return text + ")";
}

void add_graph(onnx::GraphProto& onnx, const SavedModel& saved) {
  const Shape output = summarize(saved.model).back().output;
  onnx.set_name(graph_name(saved.model.name));
  onnx.set_doc_string(
      fmt::format("Takes images {}, their values divided by 255, and gives probabilities {}.",
                  batch_of(saved.model.input), batch_of(output)));
  OnnxGraph graph(onnx, {"probabilities"});
  const std::string images = graph.add_input("images", saved.model.input);
  graph.add_output("probabilities", add_layers(graph, images, "", saved.model, saved.weights),
                   onnx::TensorProto::FLOAT, output);
}

/// baseline * importance[:, :, 0] + expert * importance[:, :, 1]
std::string add_sub_gate(OnnxGraph& graph, const std::string& name, const std::string& baseline,
                         const std::string& expert, const std::string& importance) {
  const auto weighed = [&](const std::string& part, const std::string& value, std::int64_t column) {
    const std::string index = graph.add_scalar(name + "/" + part + "/column", column);
    const std::string weight = graph.add_node(name + "/" + part + "/importance", "Gather",
                                              {importance, index}, {{"axis", 2}});
    return graph.add_node(name + "/" + part, "Mul", {value, weight});
  };
  const std::string first = weighed("baseline", baseline, 0);
  return graph.add_node(name, "Add", {first, weighed("expert", expert, 1)});
}

/// The group of each image, (batch): the largest value's, and of equal ones the last. Not every
/// program knows ArgMax's select_last_index, so the first is taken counting from the end.
std::string add_choice(OnnxGraph& graph, const std::string& gate, std::int64_t groups) {
  std::vector<std::int64_t> backwards;
  for (std::int64_t g = groups - 1; g >= 0; --g) backwards.push_back(g);
  const std::string order = graph.add_tensor("chosen/backwards", backwards);
  const std::string reversed =
      graph.add_node("chosen/reversed", "Gather", {gate, order}, {{"axis", 1}});
  const std::string from_end =
      graph.add_node("chosen/from_end", "ArgMax", {reversed}, {{"axis", 1}, {"keepdims", 0}});
  return graph.add_node("chosen", "Sub", {graph.add_scalar("chosen/last", groups - 1), from_end});
}

void add_graph(onnx::GraphProto& onnx, const SavedMixture& saved) {
  const Mixture& model = saved.model;
  const std::int64_t classes = element_count(summarize(model.baseline).back().output);
  onnx.set_name(names::kMixture);
  onnx.set_doc_string(fmt::format(
      "Takes images {}, their values divided by 255, and gives scores {}, which need not sum to "
      "one, and group (batch), the index of the group whose expert the gate chose.",
      batch_of(model.baseline.input), batch_of({classes})));

  OnnxGraph graph(onnx, {"scores", "group"});
  const std::string images = graph.add_input("images", model.baseline.input);
  // Sluice takes a part for its values and does not ask for their shape: ONNX must.
  const auto add_part = [&](const std::string& name, const Sequential& part, const Weights& w,
                            const Shape& shape) {
    const std::string value = add_layers(graph, images, name + "/", part, w);
    return summarize(part).back().output == shape ? value
                                                  : graph.reshape(name + "/shape", value, shape);
  };
  const auto groups = static_cast<std::int64_t>(model.branches.size());
  const std::string baseline =
      add_part(names::kBaseline, model.baseline, saved.weights.baseline, {classes});
  const std::string gate = add_part(names::kGate, model.gate, saved.weights.gate, {groups});
  const std::string chosen = add_choice(graph, gate, groups);
  const std::string column = graph.add_node("chosen/column", "Unsqueeze",
                                            {chosen, graph.add_tensor("chosen/column/axis", {1})});

  std::string scores;
  for (std::size_t g = 0; g < model.branches.size(); ++g) {
    const Mixture::Branch& branch = model.branches[g];
    const std::string name = "sub-gate-" + branch.group;
    const std::string expert =
        add_part(names::expert(branch.group), branch.expert, saved.weights.experts[g], {classes});
    const std::string importance = add_part(names::importance(branch.group), branch.importance,
                                            saved.weights.importances[g], {classes, 2});
    const std::string value = add_sub_gate(graph, name, baseline, expert, importance);
    if (g == 0) {
      scores = value;
      continue;
    }
    const std::string index = graph.add_scalar(name + "/group", static_cast<std::int64_t>(g));
    const std::string mine = graph.add_node(name + "/is_chosen", "Equal", {column, index});
    scores = graph.add_node(name + "/or_before", "Where", {mine, value, scores});
  }
  graph.add_output("scores", scores, onnx::TensorProto::FLOAT, {classes});
  graph.add_output("group", chosen, onnx::TensorProto::INT64, {});
}

template <class Saved>
onnx::ModelProto to_onnx(const Saved& saved) {
  onnx::ModelProto onnx;
  onnx.set_ir_version(kIrVersion);
  onnx.add_opset_import()->set_version(kOpset);
  onnx.set_producer_name("sluice");
  onnx.set_producer_version(version());
  for (const auto& [key, value] : notes_of(saved)) {
    onnx::StringStringEntryProto& entry = *onnx.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  add_graph(*onnx.mutable_graph(), saved);
  return onnx;
}

}  // namespace

void export_onnx(const std::filesystem::path& file, const AnyModel& model) {
  const auto write = [&](const auto& saved) {
    // Before anything of that size is made.
    check_size(count_parameters(saved.model) * static_cast<std::int64_t>(sizeof(float)), file);
    const onnx::ModelProto onnx = to_onnx(saved);
    check_size(static_cast<std::int64_t>(onnx.ByteSizeLong()), file);
    write_file(file, onnx.SerializeAsString());
  };
  std::visit(write, model);
}

}  // namespace sluice

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
constexpr int kOpset = 13;  // the oldest with all operations, which newer programs convert

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

void add_graph(onnx::GraphProto& onnx, const SavedModel& saved, OnnxExperts) {
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

/// The parts of a mixture in a graph.
class MixtureGraph {
 public:
  MixtureGraph(OnnxGraph& graph, const SavedMixture& saved)
      : saved_(saved),
        classes_(element_count(summarize(saved.model.baseline).back().output)),
        images_(graph.add_input("images", saved.model.baseline.input)),
        baseline_(add_part(graph, images_, names::kBaseline, saved.model.baseline,
                           saved.weights.baseline, {classes_})),
        chosen_(add_choice(graph,
                           add_part(graph, images_, names::kGate, saved.model.gate,
                                    saved.weights.gate, {groups()}),
                           groups())) {}

  /// Scores of a mixture that computes every expert for all images, and chooses.
  std::string dense(OnnxGraph& graph) const {
    const std::string column = graph.add_node(
        "chosen/column", "Unsqueeze", {chosen_, graph.add_tensor("chosen/column/axis", {1})});
    std::string scores;
    for (std::size_t g = 0; g < saved_.model.branches.size(); ++g) {
      const std::string value = sub_gate(graph, g, images_, baseline_);
      const std::string name = sub_gate_of(g);
      if (g == 0) {
        scores = value;
        continue;
      }
      const std::string index = graph.add_scalar(name + "/group", static_cast<std::int64_t>(g));
      const std::string mine = graph.add_node(name + "/is_chosen", "Equal", {column, index});
      scores = graph.add_node(name + "/or_before", "Where", {mine, value, scores});
    }
    return scores;
  }

  /// The same scores, but each expert is computed only for the images that the gate sends to it.
  std::string sparse(OnnxGraph& graph) const {
    const std::string none =
        graph.add_node("none", "Mul", {baseline_, graph.add_scalar("zero", 0.f)});
    std::string scores = none;
    for (std::size_t g = 0; g < saved_.model.branches.size(); ++g) {
      const std::string name = sub_gate_of(g);
      const std::string index = graph.add_scalar(name + "/group", static_cast<std::int64_t>(g));
      const std::string mine = graph.add_node(name + "/is_chosen", "Equal", {chosen_, index});
      const std::string number = graph.add_node(name + "/number_of_each", "Cast", {mine},
                                                {{"to", std::int64_t{onnx::TensorProto::INT64}}});
      const std::string count =
          graph.add_node(name + "/number", "ReduceSum", {number}, {{"keepdims", 0}});
      const std::string any = graph.add_node(
          name + "/any", "Greater", {count, graph.add_scalar(name + "/zero", std::int64_t{0})});
      const std::string before = scores;
      scores = graph.add_if(
          name + "/or_before", any, {classes_},
          [&](OnnxGraph& some) {
            const std::string places = some.add_node(name + "/places", "NonZero", {mine});
            const std::string rows = some.add_node(name + "/rows", "Reshape",
                                                   {places, some.add_tensor(name + "/list", {-1})});
            const std::string column = some.add_node(
                name + "/column", "Reshape", {places, some.add_tensor(name + "/table", {-1, 1})});
            const auto gathered = [&](const char* what, const std::string& from) {
              return some.add_node(name + what, "Gather", {from, rows}, {{"axis", 0}});
            };
            const std::string value = sub_gate(some, g, gathered("/images", images_),
                                               gathered("/of_baseline", baseline_));
            return some.add_node(name + "/scattered", "ScatterND", {before, column, value});
          },
          [&](OnnxGraph& nothing) {
            return nothing.add_node(name + "/as_before", "Mul",
                                    {before, nothing.add_scalar(name + "/one", 1.f)});
          });
    }
    return scores;
  }

  const std::string& chosen() const { return chosen_; }
  std::int64_t classes() const { return classes_; }

 private:
  std::int64_t groups() const { return static_cast<std::int64_t>(saved_.model.branches.size()); }
  std::string sub_gate_of(std::size_t g) const {
    return "sub-gate-" + saved_.model.branches[g].group;
  }

  std::string sub_gate(OnnxGraph& graph, std::size_t g, const std::string& images,
                       const std::string& baseline) const {
    const Mixture::Branch& branch = saved_.model.branches[g];
    const std::string expert = add_part(graph, images, names::expert(branch.group), branch.expert,
                                        saved_.weights.experts[g], {classes_});
    const std::string importance =
        add_part(graph, images, names::importance(branch.group), branch.importance,
                 saved_.weights.importances[g], {classes_, 2});
    return add_sub_gate(graph, sub_gate_of(g), baseline, expert, importance);
  }

  /// Sluice takes a part for its values and does not ask for their shape: ONNX must.
  static std::string add_part(OnnxGraph& graph, const std::string& images, const std::string& name,
                              const Sequential& part, const Weights& weights, const Shape& shape) {
    const std::string value = add_layers(graph, images, name + "/", part, weights);
    return summarize(part).back().output == shape ? value
                                                  : graph.reshape(name + "/shape", value, shape);
  }

  const SavedMixture& saved_;
  std::int64_t classes_;
  std::string images_;
  std::string baseline_;
  std::string chosen_;
};

void add_graph(onnx::GraphProto& onnx, const SavedMixture& saved, OnnxExperts experts) {
  onnx.set_name(names::kMixture);
  OnnxGraph graph(onnx, {"scores", "group"});
  const MixtureGraph mixture(graph, saved);
  onnx.set_doc_string(fmt::format(
      "Takes images {}, their values divided by 255, and gives scores {}, which need not sum to "
      "one, and group (batch), the index of the group whose expert the gate chose.",
      batch_of(saved.model.baseline.input), batch_of({mixture.classes()})));
  const std::string scores =
      experts == OnnxExperts::all ? mixture.dense(graph) : mixture.sparse(graph);
  graph.add_output("scores", scores, onnx::TensorProto::FLOAT, {mixture.classes()});
  graph.add_output("group", mixture.chosen(), onnx::TensorProto::INT64, {});
}

template <class Saved>
onnx::ModelProto to_onnx(const Saved& saved, OnnxExperts experts) {
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
  add_graph(*onnx.mutable_graph(), saved, experts);
  return onnx;
}

}  // namespace

void export_onnx(const std::filesystem::path& file, const AnyModel& model, OnnxExperts experts) {
  const auto write = [&](const auto& saved) {
    // Before anything of that size is made.
    check_size(count_parameters(saved.model) * static_cast<std::int64_t>(sizeof(float)), file);
    const onnx::ModelProto onnx = to_onnx(saved, experts);
    check_size(static_cast<std::int64_t>(onnx.ByteSizeLong()), file);
    write_file(file, onnx.SerializeAsString());
  };
  std::visit(write, model);
}

}  // namespace sluice

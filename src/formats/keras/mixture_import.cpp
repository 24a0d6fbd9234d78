#include "formats/keras/mixture_import.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/fail.h"
#include "base/text.h"
#include "formats/import/probabilities.h"
#include "formats/keras/config_reader.h"
#include "formats/keras/mixture_formula.h"
#include "formats/keras/mixture_graph.h"
#include "formats/keras/recognize.h"
#include "formats/model/model_notes.h"

namespace sluice {

namespace {

using Json = nlohmann::json;

/// The nested models with what they look like, for messages: "sequential_2 (CNN with 10 outputs)".
std::string list_models(const KerasFile& file) {
  constexpr std::size_t kMaxListed = 20;
  std::vector<std::string> list;
  for (const StoredModel& model : file.stored.models) {
    if (list.size() == kMaxListed) break;
    list.push_back(fmt::format("{} ({})", one_line(model.label()), in_words(model, file.tensors)));
  }
  return fmt::format("{}", fmt::join(list, ", "));
}

/// From the names of export_keras()'s sub-gates, which stay when Keras writes the file again.
std::vector<Groups::Group> groups_of_sub_gates(const StoredModel& stored) {
  constexpr std::size_t kMaxGroups = 1000;
  std::vector<Groups::Group> groups;
  for (bool found = true; found && groups.size() < kMaxGroups;) {
    found = false;
    const std::string prefix = sub_gate_name(groups.size(), "");
    for (const StoredLayer& layer : stored.layers) {
      if (!layer.name.starts_with(prefix)) continue;
      groups.push_back({layer.name.substr(prefix.size()), {}});
      found = true;
      break;
    }
  }
  return groups;
}

/// A group's name is part of file names.
void check_group_names(const std::vector<Groups::Group>& groups, const std::string& place) {
  std::set<std::string> seen;
  for (const Groups::Group& group : groups) {
    if (!is_plain_name(group.name)) {
      throw user_error("keras", "{}: '{}' is no group's name: use letters, digits, - and _", place,
                       one_line(group.name));
    }
    if (!seen.insert(group.name).second) {
      throw user_error("keras", "{}: two groups are named '{}'", place, group.name);
    }
  }
  if (groups.size() < 2) {
    throw user_error("keras", "{}: a mixture has two groups at least, not {}", place,
                     groups.size());
  }
}

std::vector<Groups::Group> find_groups(const KerasFile& file, const KerasOptions& options) {
  std::vector<Groups::Group> groups = groups_in(file.notes, file.place);
  if (groups.empty()) groups = groups_of_sub_gates(file.stored);
  if (groups.empty()) {
    for (const std::string& name : options.groups) groups.push_back({name, {}});
  }
  if (groups.empty()) {
    throw user_error("keras",
                     "{} does not say which group each output of the gate stands for: say it; it "
                     "has the models {}",
                     file.place, list_models(file));
  }
  check_group_names(groups, file.place);
  return groups;
}

/// Where the parts of a mixture are in a file.
class Parts {
 public:
  Parts(const KerasFile& file, const KerasOptions& options,
        const std::vector<Groups::Group>& groups)
      : file_(file), options_(options) {
    names_ = {names::kBaseline, names::kGate};
    for (const Groups::Group& group : groups) {
      names_.push_back(names::expert(group.name));
      names_.push_back(names::importance(group.name));
    }
    if (file.stored.models.size() < names_.size()) {
      throw user_error(
          "keras", "{} has the nested models {}: a mixture of these groups has {}, {}, and {}",
          file.place, list_models(file), names_.size(), fmt::format("{}", fmt::join(names_, ", ")),
          is_model_config(file.config)
              ? "Sluice computes no other"
              : "one network of nested models is read from a file that tells their order: save it "
                "whole, as a .keras file");
    }
    for (const auto& [part, name] : options.parts) check_known(part);
    for (const std::string& part : names_) {
      if (find(part) == nullptr) missing(part);
    }
  }

  SavedModel read(const std::string& part) const {
    const StoredModel& stored = *find(part);
    const std::string place = fmt::format("{}: {}", file_.place, one_line(stored.label()));
    return import_part(file_, stored, config_of(stored), part, options_, place);
  }

  /// The parts by their models' names in the file.
  std::map<std::string, std::string> by_model() const {
    std::map<std::string, std::string> parts;
    for (const std::string& part : names_) parts[find(part)->label()] = part;
    return parts;
  }

 private:
  const std::string& name_of(const std::string& part) const {
    const auto other = options_.parts.find(part);
    return other == options_.parts.end() ? part : other->second;
  }

  const StoredModel* find(const std::string& part) const {
    const StoredModel* found = nullptr;
    for (const StoredModel& model : file_.stored.models) {
      if (model.label() != name_of(part)) continue;
      if (found != nullptr) {
        throw user_error("keras", "{} has two models named '{}': rename one in Keras", file_.place,
                         one_line(model.label()));
      }
      found = &model;
    }
    return found;
  }

  const Json& config_of(const StoredModel& stored) const {
    static const Json null;
    if (!is_model_config(file_.config)) return null;
    for (const Json& layer : layers_of_config(file_.config, file_.place)) {
      if (is_model_config(layer) && text_in(layer["config"], "name") == stored.name) return layer;
    }
    return null;
  }

  void check_known(const std::string& part) const {
    if (std::find(names_.begin(), names_.end(), part) != names_.end()) return;
    throw user_error("keras", "{}: '{}' is no part of this mixture: its parts are {}", file_.place,
                     one_line(part), fmt::format("{}", fmt::join(names_, ", ")));
  }

  [[noreturn]] void missing(const std::string& part) const {
    std::string advice;
    for (const std::string& name : names_) {
      if (find(name) == nullptr) advice += fmt::format(" --part {}=NAME", name);
    }
    throw user_error("keras",
                     "{} has no model named '{}' for the {}: it has {}: say which is which by{}",
                     file_.place, one_line(name_of(part)), part, list_models(file_), advice);
  }

  const KerasFile& file_;
  const KerasOptions& options_;
  std::vector<std::string> names_;
};

std::vector<std::string> group_names(const SavedMixture& mixture) {
  std::vector<std::string> names;
  for (const Mixture::Branch& branch : mixture.model.branches) names.push_back(branch.group);
  return names;
}

/// That the parts fit together as the lab's do.
void check_shapes(const std::string& place, const SavedModel& part, const Shape& input,
                  const Shape& output) {
  if (part.model.input != input) {
    throw user_error("keras", "{}: {} takes {}, but the baseline {}", place, part.model.name,
                     to_string(part.model.input), to_string(input));
  }
  const Shape found = summarize(part.model).back().output;
  if (found != output) {
    throw user_error("keras", "{}: {} gives {}, but this mixture needs {}: is it another part?",
                     place, part.model.name, to_string(found), to_string(output));
  }
}

/// Requires that a part gives what the lab's formula takes.
void require_meaning(SavedModel& part, const std::string& place, const KerasOptions& options) {
  const std::string& name = part.model.name;
  if (name == names::kGate) return give_probabilities(part, place + ": " + name, options.say);
  if (name.starts_with(names::importance("")) ||
      output_meaning(part.model) != OutputMeaning::logits) {
    return;
  }
  throw user_error("keras",
                   "{}: {} gives logits, and the lab's mixture weighs probabilities: end it with a "
                   "softmax",
                   place, name);
}

/// Requires the lab's formula, as far as the file has operations.
void check_formula(const KerasFile& file, const KerasOptions& options,
                   const std::map<std::string, std::string>& parts, const SavedMixture& mixture) {
  const auto taken_for = [&](const std::string& why) {
    if (!options.say) return;
    options.say(fmt::format(
        "{}: {}: it is taken for the lab's: for the group g of the gate's largest output, baseline "
        "* importance-g[:, :, 0] + expert-g * importance-g[:, :, 1]; groups {}",
        file.place, why, fmt::join(group_names(mixture), ", ")));
  };
  if (!is_model_config(file.config)) {
    return taken_for("what joins its parts is in Python code, not in the file");
  }
  std::size_t bytes = 0;
  for (const Safetensors::Tensor& tensor : file.tensors.tensors()) {
    bytes += tensor.end - tensor.begin;
  }
  constexpr std::size_t kSmall = 16'384;  // values of a small mixture's end
  const std::vector<std::string> lambdas = require_labs_formula(
      {file.config, group_names(mixture), parts,
       summarize(mixture.model.baseline).back().output.back(), kSmall + bytes / 4},
      file.place);
  if (!lambdas.empty()) {
    taken_for(fmt::format("what Lambda layers ({}) do with its parts cannot be checked",
                          one_line(fmt::format("{}", fmt::join(lambdas, ", ")))));
  }
}

/// `read_part` gives a part by its name.
template <class Read>
SavedMixture join(const std::vector<Groups::Group>& groups, const std::string& place,
                  const Read& read_part) {
  const SavedModel baseline = read_part(names::kBaseline);
  const Shape& input = baseline.model.input;
  const std::int64_t classes = summarize(baseline.model).back().output.back();
  const auto read = [&](const std::string& part, const Shape& output) {
    SavedModel saved = read_part(part);
    check_shapes(place, saved, input, output);
    return saved;
  };
  check_shapes(place, baseline, input, {classes});
  const SavedModel gate = read(names::kGate, {static_cast<std::int64_t>(groups.size())});

  Mixture model{baseline.model, gate.model, {}};
  std::vector<Weights> experts;
  std::vector<Weights> importances;
  for (const Groups::Group& group : groups) {
    const SavedModel expert = read(names::expert(group.name), {classes});
    const SavedModel importance = read(names::importance(group.name), {classes, 2});
    model.branches.push_back({group.name, expert.model, importance.model});
    experts.push_back(expert.weights);
    importances.push_back(importance.weights);
  }
  MixtureWeights weights(model);
  weights.baseline = baseline.weights;
  weights.gate = gate.weights;
  weights.experts = std::move(experts);
  weights.importances = std::move(importances);
  return {std::move(model), std::move(weights), {}, groups};
}

}  // namespace

bool has_parts(const KerasFile& file, const KerasOptions& options) {
  if (!options.parts.empty() || !groups_in(file.notes, file.place).empty() ||
      !groups_of_sub_gates(file.stored).empty()) {
    return true;
  }
  const auto has = [&](const char* name) {
    return std::ranges::any_of(file.stored.models,
                               [&](const StoredModel& model) { return model.label() == name; });
  };
  return has(names::kBaseline) && has(names::kGate);
}

SavedMixture import_mixture(const KerasFile& file, const KerasOptions& options) {
  const std::vector<Groups::Group> groups = find_groups(file, options);
  const Parts parts(file, options, groups);
  const bool ours = !file.notes.empty();
  SavedMixture mixture = join(groups, file.place, [&](const std::string& name) {
    SavedModel part = parts.read(name);
    if (!ours) require_meaning(part, file.place, options);
    return part;
  });
  check_formula(file, options, parts.by_model(), mixture);
  return mixture;
}

SavedMixture join_parts(const std::map<std::string, SavedModel>& parts,
                        const std::vector<Groups::Group>& groups) {
  SavedMixture mixture = join(groups, "the mixture", [&](const std::string& part) {
    const auto found = parts.find(part);
    if (found == parts.end()) throw user_error("keras", "the mixture has no {}: add it", part);
    SavedModel saved = found->second;
    saved.model.name = part;
    return saved;
  });
  mixture.resize = parts.at(names::kBaseline).resize;
  return mixture;
}

}  // namespace sluice

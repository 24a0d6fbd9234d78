#include "sluice/model_file.h"

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"
#include "io/declaration.h"
#include "io/json_text.h"
#include "io/model_notes.h"
#include "io/safetensors.h"

namespace sluice {
namespace {

constexpr const char* kFormatKey = "format";
constexpr const char* kModelKey = "model";
constexpr const char* kFormat = "sluice 2";
constexpr int kDeclarationDepth = 8;  ///< mixture, branches, branch, expert, layers, layer, shape

/// What the names of a part's tensors start with.
std::string part_prefix(const Sequential& part) {
  return part.name + "/";
}

std::string tensor_name(const std::string& prefix, const Weights::Tensor& tensor) {
  return prefix + tensor.layer + "/" + tensor.kind;
}

void add_tensors(const std::string& prefix, const Weights& weights,
                 std::vector<NamedTensor>& tensors) {
  for (const Weights::Tensor& tensor : weights.tensors()) {
    tensors.push_back({tensor_name(prefix, tensor), tensor.shape, weights.values(tensor)});
  }
}

std::vector<NamedTensor> tensors_of(const SavedModel& saved) {
  std::vector<NamedTensor> tensors;
  add_tensors("", saved.weights, tensors);
  return tensors;
}

std::vector<NamedTensor> tensors_of(const SavedMixture& saved) {
  std::vector<NamedTensor> tensors;
  const std::vector<const Sequential*> parts = saved.model.parts();
  const std::vector<const Weights*> weights = saved.weights.parts();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    add_tensors(part_prefix(*parts[i]), *weights.at(i), tensors);
  }
  return tensors;
}

/// One file being read: it must have the tensors of the model it declares, and no other.
class Reader {
 public:
  Reader(const Safetensors& file, std::string place) : file_(file), place_(std::move(place)) {}

  AnyModel read() const {
    require_format();
    const nlohmann::json declared = parse_json(metadata(kModelKey), kDeclarationDepth, "model",
                                               fmt::format("{}: model", place_));
    const bool is_mixture = declares_mixture(declared);
    // Without names, which a Keras file may lack, an answer would be a number.
    metadata("class_names");
    if (is_mixture) metadata("groups");
    AnyModel model =
        is_mixture ? AnyModel(read_mixture(declared)) : AnyModel(read_network(declared));
    take_notes(file_.metadata(), model, place_);
    return model;
  }

 private:
  const std::string& metadata(const char* key) const {
    const auto found = file_.metadata().find(key);
    if (found != file_.metadata().end()) return found->second;
    throw user_error(
        "model",
        "{} is not a model of sluice, for its metadata has no {}: `sluice import` reads "
        "those of Keras",
        place_, key);
  }

  void require_format() const {
    const std::string& format = metadata(kFormatKey);
    if (format == kFormat) return;
    throw user_error("model", "{} has the format '{}', not '{}': use the sluice that wrote it",
                     place_, one_line(format), kFormat);
  }

  SavedModel read_network(const nlohmann::json& declared) const {
    Sequential model = sequential_of(declared, place_ + ": model");
    require_size(count_parameters(model));
    SavedModel saved{model, Weights(model), {}};
    require_count(saved.weights.tensors().size());
    fill("", saved.weights);
    return saved;
  }

  SavedMixture read_mixture(const nlohmann::json& declared) const {
    Mixture model = mixture_of(declared, place_ + ": model");
    require_size(count_parameters(model));
    SavedMixture saved{model, MixtureWeights(model), {}, {}};
    const std::vector<const Sequential*> parts = saved.model.parts();
    const std::vector<Weights*> weights = saved.weights.parts();
    std::size_t count = 0;
    for (const Weights* part : weights) count += part->tensors().size();
    require_count(count);
    for (std::size_t i = 0; i < parts.size(); ++i) fill(part_prefix(*parts[i]), *weights.at(i));
    return saved;
  }

  /// Before memory is taken for what the file only declares.
  void require_size(std::int64_t parameters) const {
    std::int64_t values = 0;
    for (const Safetensors::Tensor& tensor : file_.tensors()) values += element_count(tensor.shape);
    if (values == parameters) return;
    throw user_error("model", "{} has {} values, but its model {} parameters: is the file whole?",
                     place_, values, parameters);
  }

  /// Names are distinct in a file, so as many tensors, all of them found, are the same ones.
  void require_count(std::size_t count) const {
    if (file_.tensors().size() == count) return;
    throw user_error("model", "{} has {} tensors, but its model {}", place_, file_.tensors().size(),
                     count);
  }

  void fill(const std::string& prefix, Weights& weights) const {
    for (const Weights::Tensor& tensor : weights.tensors()) {
      const std::string name = tensor_name(prefix, tensor);
      const Safetensors::Tensor* found = file_.find(name);
      if (found == nullptr) {
        throw user_error("model", "{} has no tensor '{}', which its model needs", place_, name);
      }
      if (found->shape != tensor.shape) {
        throw user_error("model", "{}: tensor '{}' is {}, but its model's is {}", place_, name,
                         to_string(found->shape), to_string(tensor.shape));
      }
      file_.copy(*found, weights.values(tensor));
    }
  }

  const Safetensors& file_;
  std::string place_;
};

}  // namespace

void write_model(const std::filesystem::path& file, const AnyModel& model) {
  TensorMetadata metadata = notes_of(model);
  metadata[kFormatKey] = kFormat;
  const auto write = [&](const auto& saved) {
    metadata[kModelKey] = to_declaration(saved.model).dump();
    write_safetensors(file, tensors_of(saved), metadata);
  };
  std::visit(write, model);
}

AnyModel read_model(const std::filesystem::path& file) {
  if (file.extension() == ".keras" || file.extension() == ".h5") {
    throw user_error("model", "{} is a Keras file: make a run of it with `sluice import`",
                     path_text(file));
  }
  return Reader(Safetensors::read(file), path_text(file)).read();
}

}  // namespace sluice

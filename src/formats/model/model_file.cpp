#include "sluice/model_file.h"

#include <algorithm>

#include "base/digest.h"
#include "base/fail.h"
#include "base/file_kind.h"
#include "base/files.h"
#include "base/text.h"
#include "formats/model/declaration.h"
#include "formats/model/model_check.h"
#include "formats/model/model_notes.h"
#include "formats/safetensors/safetensors.h"
#include "formats/text/json_text.h"
#include "graph/weights.h"

namespace sluice {
namespace {

constexpr const char* kFormatKey = "format";
constexpr const char* kModelKey = "model";
constexpr const char* kDigestKey = "sha256";
constexpr const char* kFormat = "sluice 3";
constexpr const char* kFormatWithoutDigest = "sluice 2";
constexpr int kDeclarationDepth = 8;  ///< mixture, branches, branch, expert, layers, layer, shape

/// Returns the notes that a model must have. Imported Keras files may lack names, without which a
/// prediction is only a number.
std::vector<const char*> needed_notes(const AnyModel& model) {
  if (std::holds_alternative<SavedModel>(model)) return {"class_names"};
  return {"class_names", "groups"};
}

/// Prefix of the names of a part's tensors.
std::string part_prefix(const Sequential& part) {
  return part.name + "/";
}

std::string tensor_name(const std::string& prefix, const Weights::Tensor& tensor) {
  return prefix + full_name(tensor);
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

/// A tensor in the digest, written or read.
struct DigestedTensor {
  std::string_view name;
  Shape shape;
  std::string_view bytes;
};

/// Returns the SHA-256 of a file's content: its metadata except the digest, and name, shape and
/// values of every tensor, in the order of names. Each text is preceded by its length, so that
/// different contents give different bytes.
std::string digest_of(const TensorMetadata& metadata, std::vector<DigestedTensor> tensors) {
  Digest digest(Digest::Kind::sha256);
  const auto add = [&](std::string_view text) {
    digest.add(fmt::format("{}:", text.size()));
    digest.add(text);
  };
  for (const auto& [key, value] : metadata) {
    if (key == kDigestKey) continue;
    add(key);
    add(value);
  }
  std::ranges::sort(tensors, {}, &DigestedTensor::name);
  for (const DigestedTensor& tensor : tensors) {
    add(tensor.name);
    add(to_string(tensor.shape));
    add(tensor.bytes);
  }
  return digest.digits();
}

std::string digest_of(const TensorMetadata& metadata, const std::vector<NamedTensor>& tensors) {
  std::vector<DigestedTensor> all;
  for (const NamedTensor& tensor : tensors) {
    all.push_back({tensor.name, tensor.shape, bytes_of(tensor)});
  }
  return digest_of(metadata, std::move(all));
}

std::string digest_of(const Safetensors& file) {
  std::vector<DigestedTensor> all;
  for (const Safetensors::Tensor& tensor : file.tensors()) {
    all.push_back({tensor.name, tensor.shape, file.bytes(tensor)});
  }
  return digest_of(file.metadata(), std::move(all));
}

/// Reads one file, which must have exactly the tensors of the model that it declares.
class Reader {
 public:
  Reader(const Safetensors& file, std::string place) : file_(file), place_(std::move(place)) {}

  AnyModel read() const {
    const bool digested = check_digest();
    const nlohmann::json declared = parse_json(metadata(kModelKey), kDeclarationDepth, "model",
                                               fmt::format("{}: model", place_));
    AnyModel model = declares_mixture(declared) ? AnyModel(read_mixture(declared))
                                                : AnyModel(read_network(declared));
    for (const char* needed : needed_notes(model)) metadata(needed);
    take_notes(file_.metadata(), model, place_);
    require_finite(model, place_);
    if (!digested) require_values();
    return model;
  }

 private:
  const std::string& metadata(const char* key) const {
    const auto found = file_.metadata().find(key);
    if (found != file_.metadata().end()) return found->second;
    throw user_error("model",
                     "{} is not a Sluice model: its metadata has no {}: `sluice import` reads "
                     "those of Keras",
                     place_, key);
  }

  /// Requires that the digest matches, because a damaged file may still be readable. Returns false
  /// for a file of the format without a digest.
  bool check_digest() const {
    const std::string& format = metadata(kFormatKey);
    if (format != kFormat && format != kFormatWithoutDigest) {
      throw user_error("model", "{} has the format '{}', not '{}': use the sluice that wrote it",
                       place_, one_line(format), kFormat);
    }
    if (format == kFormatWithoutDigest && !file_.metadata().contains(kDigestKey)) return false;
    if (metadata(kDigestKey) == digest_of(file_)) return true;
    throw user_error("model",
                     "{} was changed or damaged: its SHA-256 does not match its content: "
                     "copy it again, or train or import the model again",
                     place_);
  }

  /// Requires kernels with a value other than 0. Lost data of a disk or copy become zeros; a
  /// trained kernel is never all zeros.
  void require_values() const {
    for (const Safetensors::Tensor& tensor : file_.tensors()) {
      if (!tensor.name.ends_with("/kernel")) continue;
      if (file_.bytes(tensor).find_first_not_of('\0') != std::string_view::npos) continue;
      throw user_error(
          "model",
          "{}: all values of tensor '{}' are 0: copy the file again, or train the model "
          "again",
          place_, one_line(tensor.name));
    }
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

  /// Requires the declared number of values, before memory is allocated for it.
  void require_size(std::int64_t parameters) const {
    std::int64_t values = 0;
    for (const Safetensors::Tensor& tensor : file_.tensors()) values += element_count(tensor.shape);
    if (values == parameters) return;
    throw user_error("model", "{} has {} values, but its model {} parameters: is the file whole?",
                     place_, values, parameters);
  }

  /// Requires the number of tensors. Names in a file are distinct, so equal numbers and fill()
  /// prove that no tensor is left.
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
  const std::string place = path_text(file);
  require_sound(model, place);
  TensorMetadata metadata = notes_of(model);
  for (const char* needed : needed_notes(model)) {
    if (!metadata.contains(needed)) {
      throw user_error("model", "{}: the model has no {}: without them its outputs have no meaning",
                       place, needed);
    }
  }
  metadata[kFormatKey] = kFormat;
  const auto write = [&](const auto& saved) {
    metadata[kModelKey] = to_declaration(saved.model).dump();
    const std::vector<NamedTensor> tensors = tensors_of(saved);
    metadata[kDigestKey] = digest_of(metadata, tensors);
    write_safetensors(file, tensors, metadata);
  };
  std::visit(write, model);
}

AnyModel read_model(const std::filesystem::path& file) {
  const std::string place = path_text(file);
  std::string bytes = read_file(file, kMaxSafetensors);
  const FileKind kind = kind_of(std::string_view(bytes).substr(0, kKindBytes));
  const bool ours = kind.of == FileKind::Of::sluice || kind.of == FileKind::Of::safetensors;
  if (kind.known() && !ours) throw wrong_kind("model", place, kind, "a model of Sluice");
  return Reader(Safetensors::parse(std::move(bytes), place), place).read();
}

}  // namespace sluice

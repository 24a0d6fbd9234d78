#include "io/weights_file.h"

#include <nlohmann/json.hpp>

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"
#include "io/safetensors.h"

namespace sluice {
namespace {

constexpr const char* kFormat = "sluice 1";

std::string tensor_name(const std::string& prefix, const Weights::Tensor& tensor) {
  return prefix + tensor.layer + "/" + tensor.kind;
}

std::vector<std::string> class_names_of(const Safetensors& file, const std::string& place) {
  const auto format = file.metadata().find("format");
  const auto names = file.metadata().find("class_names");
  if (format == file.metadata().end() || names == file.metadata().end()) {
    throw user_error("weights",
                     "{} was not written by sluice: its metadata lacks format and class_names",
                     place);
  }
  if (format->second != kFormat) {
    throw user_error("weights", "{} has the format '{}', not '{}': use the sluice that wrote it",
                     place, one_line(format->second), kFormat);
  }
  // A flat list of strings: anything deeper is refused before it is built.
  const auto flat = [](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    if (depth > 1) throw std::invalid_argument("nested");
    return true;
  };
  try {
    return nlohmann::json::parse(names->second, flat).get<std::vector<std::string>>();
  } catch (const std::exception&) {
    throw user_error("weights", "{}: class_names in its metadata is not a JSON list of strings",
                     place);
  }
}

}  // namespace

void write_weights_file(const std::filesystem::path& file, const std::string& model,
                        const std::vector<ConstWeightsPart>& parts,
                        const std::vector<std::string>& class_names) {
  std::vector<NamedTensor> tensors;
  for (const ConstWeightsPart& part : parts) {
    for (const Weights::Tensor& tensor : part.weights->tensors()) {
      tensors.push_back(
          {tensor_name(part.prefix, tensor), tensor.shape, part.weights->values(tensor)});
    }
  }
  write_file(file, to_safetensors(tensors, {{"format", kFormat},
                                            {"model", model},
                                            {"class_names", nlohmann::json(class_names).dump()}}));
}

std::vector<std::string> read_weights_file(const std::filesystem::path& path,
                                           const std::vector<WeightsPart>& parts) {
  const std::string place = path_text(path);
  const Safetensors file = Safetensors::read(path);
  std::vector<std::string> class_names = class_names_of(file, place);
  std::size_t expected = 0;
  for (const WeightsPart& part : parts) {
    for (const Weights::Tensor& tensor : part.weights->tensors()) {
      ++expected;
      const std::string name = tensor_name(part.prefix, tensor);
      const Safetensors::Tensor* found = file.find(name);
      if (found == nullptr) {
        throw user_error("weights", "{} has no tensor '{}': is it of another model?", place, name);
      }
      if (found->shape != tensor.shape) {
        throw user_error("weights",
                         "{}: tensor '{}' is {}, but the model's is {}: is it of another model?",
                         place, name, to_string(found->shape), to_string(tensor.shape));
      }
      file.copy(*found, part.weights->values(tensor));
    }
  }
  // Names are distinct in file and model, so equal counts mean equal sets.
  if (file.tensors().size() != expected) {
    throw user_error("weights", "{} has {} tensors, but the model {}: is it of another model?",
                     place, file.tensors().size(), expected);
  }
  return class_names;
}

}  // namespace sluice

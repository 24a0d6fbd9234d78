#include "formats/keras/container.h"

#include <algorithm>
#include <map>

#include "base/confined.h"
#include "base/fail.h"
#include "base/file_kind.h"
#include "base/files.h"
#include "base/text.h"
#include "formats/hdf5/reader.h"
#include "formats/keras/config_reader.h"
#include "formats/keras/connections.h"
#include "formats/keras/keys.h"
#include "formats/keras/zip.h"
#include "formats/text/json_text.h"

namespace sluice {

namespace {

constexpr std::uint64_t kMaxKerasFile = std::uint64_t{4} << 30;
constexpr std::uint64_t kMaxConfig = 16 << 20;
constexpr int kMaxConfigDepth = 64;  ///< Keras's own are about 20 deep

constexpr std::string_view kZip = "PK\x03\x04";
constexpr std::string_view kHdf5 = "\x89HDF\r\n\x1a\n";

constexpr const char* kConfig = "config.json";
constexpr const char* kMetadata = "metadata.json";
constexpr const char* kWeights = "model.weights.h5";

/// Text shrinks in a zip file, but beside weights it is little.
std::uint64_t max_config(std::uint64_t file_bytes) {
  return std::min(kMaxConfig, 16 * file_bytes + (64 << 10));
}

/// Runs in the child.
std::string flatten_zip(std::string_view bytes, const std::string& place) {
  const auto members = read_zip(bytes,
                                {{kConfig, max_config(bytes.size())},
                                 {kMetadata, max_config(bytes.size())},
                                 // Trained weights hardly shrink: no honest file gives more.
                                 {kWeights, 8 * bytes.size() + (1 << 20)}},
                                place);
  for (const char* needed : {kConfig, kWeights}) {
    if (members.count(needed) == 0) {
      throw user_error("keras", "{} has no {}: is it a .keras file of Keras 3?", place, needed);
    }
  }
  TensorMetadata metadata{{kConfig, members.at(kConfig)}};
  if (members.count(kMetadata) > 0) metadata[kMetadata] = members.at(kMetadata);
  return flatten_hdf5(members.at(kWeights), std::move(metadata), place);
}

Safetensors read_confined(const std::string& bytes, const std::string& place) {
  const bool zip = bytes.starts_with(kZip);
  if (!zip && !bytes.starts_with(kHdf5)) {
    throw wrong_kind("keras", place, kind_of(std::string_view(bytes).substr(0, kKindBytes)),
                     "a model that Keras saved (.keras or .h5)");
  }
  // The file's unzipped and HDF5's copy, values and result: some ten times its size, and what
  // libhdf5 takes for itself.
  const std::uint64_t memory = 32 * std::uint64_t{bytes.size()} + (std::uint64_t{512} << 20);
  // A model of 50 MB takes a tenth of a second; damaged files of a few KB make libhdf5 loop.
  const int seconds = 5 + static_cast<int>(bytes.size() >> 22);
  const Confinement limits{"keras", place,
                           "HDF5",  memory,
                           seconds, max_flattened(bytes.size()) + 3 * max_config(bytes.size())};
  return Safetensors::parse(
      run_confined(
          limits, [&] { return zip ? flatten_zip(bytes, place) : flatten_hdf5(bytes, {}, place); }),
      place);
}

/// Only later versions of Keras 3 write names into HDF5. The configuration has them too, in the
/// order that the keys count.
void collect_names(const nlohmann::json& config, const std::string& place,
                   const std::string& prefix, std::map<std::string, std::string>& names) {
  KerasKeys keys;
  for (const nlohmann::json& layer : layers_of_config(config, place)) {
    const std::string key = prefix + keys.next(text_in(layer, "class_name"));
    if (layer.is_object() && layer.contains("config"))
      names[key] = text_in(layer["config"], "name");
    if (is_model_config(layer)) collect_names(layer, place, key + "/", names);
  }
}

void add_names(StoredModel& stored, const nlohmann::json& config, const std::string& place) {
  if (stored.legacy || !is_model_config(config)) return;
  std::map<std::string, std::string> names;
  collect_names(config, place, "", names);
  for (StoredLayer& layer : stored.layers) {
    if (layer.name.empty()) layer.name = names[layer.key];
  }
  for (StoredModel& model : stored.models) {
    if (model.name.empty()) model.name = names[model.key];
  }
}

nlohmann::json parse(const Safetensors& tensors, const std::string& key, const std::string& place) {
  const auto found = tensors.metadata().find(key);
  if (found == tensors.metadata().end()) return nullptr;
  return parse_json(found->second, kMaxConfigDepth, "keras",
                    fmt::format("{}: {}", place, printable(key)));
}

/// JSON in a text in JSON: an attribute of a legacy file's root.
nlohmann::json parse_attribute(const Safetensors& tensors, const std::string& name,
                               const std::string& place) {
  const nlohmann::json text = parse(tensors, "@" + name, place);
  if (!text.is_string()) return nullptr;
  return parse_json(text.get<std::string>(), kMaxConfigDepth, "keras",
                    fmt::format("{}: {}", place, name));
}

/// An attribute of a legacy file's root, or of metadata.json.
std::string keras_version(const Safetensors& tensors, const std::string& place) {
  const nlohmann::json attribute = parse(tensors, "@keras_version", place);
  if (attribute.is_string()) return attribute.get<std::string>();
  return text_in(parse(tensors, kMetadata, place), "keras_version");
}

/// A nested model of one layer with weights looks like a layer in a legacy file; only the
/// configuration tells it apart.
void add_nested_of_one_layer(StoredModel& stored, const nlohmann::json& config,
                             const std::string& place) {
  if (!stored.legacy || !is_model_config(config)) return;
  for (const nlohmann::json& model : layers_of_config(config, place)) {
    if (!is_model_config(model)) continue;
    const std::string name = name_of_config(model);
    const auto is_it = [&](const auto& each) { return each.key == name; };
    const auto layer = std::ranges::find_if(stored.layers, is_it);
    if (layer == stored.layers.end() || std::ranges::any_of(stored.models, is_it)) continue;
    stored.models.push_back({name, name, {*layer}, {}, true});
  }
}

/// What export_keras() added to metadata.json, and export_keras_h5() as an attribute; nothing in
/// other files.
ModelNotes notes_in(const Safetensors& tensors, const std::string& place) {
  nlohmann::json metadata = parse(tensors, kMetadata, place);
  if (metadata.is_null()) metadata["sluice"] = parse_attribute(tensors, "sluice", place);
  ModelNotes notes;
  if (!metadata.is_object() || !metadata.contains("sluice") || metadata["sluice"].is_null()) {
    return notes;
  }
  if (!metadata["sluice"].is_object()) {
    throw user_error("keras", "{}: its notes of sluice are no JSON object", place);
  }
  for (const auto& [key, value] : metadata["sluice"].items()) {
    if (!value.is_string()) {
      throw user_error("keras", "{}: its notes of sluice: {} is no text", place, one_line(key));
    }
    notes[key] = value.get<std::string>();
  }
  return notes;
}

}  // namespace

KerasFile to_keras_file(Safetensors tensors, const std::string& place) {
  StoredModel stored = find_stored(tensors, place);
  nlohmann::json config = parse(tensors, kConfig, place);
  if (config.is_null()) config = parse_attribute(tensors, "model_config", place);
  add_names(stored, config, place);
  add_nested_of_one_layer(stored, config, place);
  const ModelNotes notes = notes_in(tensors, place);
  // Sluice writes what Keras 2 opens, and means the activations of Keras 3.
  const bool keras_2 = notes.empty() && keras_version(tensors, place).starts_with("2.");
  return {place, std::move(config), notes, keras_2, std::move(tensors), std::move(stored)};
}

KerasFile read_keras_file(const std::filesystem::path& file) {
  const std::string place = path_text(file);
  return to_keras_file(read_confined(read_file(file, kMaxKerasFile, "keras"), place), place);
}

}  // namespace sluice

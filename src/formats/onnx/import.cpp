#include "formats/onnx/import.h"

#include "base/fail.h"
#include "base/file_kind.h"
#include "base/files.h"
#include "base/text.h"
#include "formats/import/probabilities.h"
#include "formats/model/model_check.h"
#include "formats/model/model_notes.h"
#include "formats/onnx/graph_reader.h"

namespace sluice {
namespace {

constexpr std::int64_t kOldestOpset = 9;
constexpr std::int64_t kNewestOpset = 28;
constexpr std::uint64_t kMostBytes = 1ULL << 31;  ///< protobuf has no larger message

void require_network(const OnnxModel& file, const std::string& place) {
  if (file.opset > kNewestOpset) {
    throw user_error(
        "onnx", "{}: its opset is {}, and Sluice knows {} to {}: export it with opset_version={}",
        place, file.opset, kOldestOpset, kNewestOpset, kNewestOpset);
  }
  if (file.opset < kOldestOpset) {
    throw user_error("onnx",
                     "{}: its opset is {}, and Sluice knows {} to {}: convert it in Python by "
                     "onnx.version_converter.convert_version(onnx.load(PATH), 13)",
                     place, file.opset, kOldestOpset, kNewestOpset);
  }
  if (file.producer == "sluice" && file.metadata.contains("groups")) {
    throw user_error(
        "onnx",
        "{}: it is a mixture that Sluice exported, and as ONNX Sluice reads single "
        "networks: use the run that it was exported from, or export it as .keras there",
        place);
  }
  if (file.outputs.size() != 1) {
    throw user_error("onnx", "{}: it has {} outputs, and Sluice reads networks of one", place,
                     file.outputs.size());
  }
}

/// What Sluice noted in its own file.
ModelNotes notes_in(const OnnxModel& file) {
  return file.producer == "sluice" ? file.metadata : ModelNotes();
}

}  // namespace

SavedModel import_onnx(std::string_view bytes, const OnnxOptions& options,
                       const std::string& place) {
  if (const FileKind kind = kind_of(bytes.substr(0, kKindBytes)); kind.of != FileKind::Of::onnx) {
    throw wrong_kind("onnx", place, kind, "an ONNX model");
  }
  const OnnxModel file = read_onnx_model(bytes, place);
  require_network(file, place);
  SavedModel network = OnnxGraphReader(file, options, bytes.size(), place).read();
  const ModelNotes notes = notes_in(file);
  if (notes.empty()) give_probabilities(network, place, options.say);
  AnyModel model = std::move(network);
  if (!notes.empty()) take_notes(notes, model, place);
  require_sound(model, place);  // what is accepted here, every verb accepts in a file of ours
  return std::get<SavedModel>(std::move(model));
}

SavedModel import_onnx(const std::filesystem::path& file, const OnnxOptions& options) {
  return import_onnx(read_file(file, kMostBytes, "onnx"), options, path_text(file));
}

}  // namespace sluice

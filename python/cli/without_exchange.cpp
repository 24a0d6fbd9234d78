// The functions of sluice/exchange.h for the program that the Python package brings: HDF5,
// protobuf, libarchive and libcurl would take more room than all else, so it says where they are.

#include "sluice/exchange.h"

#include "base/fail.h"

namespace sluice {

namespace {

Error no_files(const char* tag) {
  return user_error(
      tag,
      "the program of the Python package has no files of Keras and ONNX: build sluice "
      "from its sources");
}

}  // namespace

const char* const kCifar10Url = "";

void export_keras(const std::filesystem::path&, const AnyModel&) {
  throw no_files("export");
}

void export_keras_h5(const std::filesystem::path&, const AnyModel&) {
  throw no_files("export");
}

void export_onnx(const std::filesystem::path&, const AnyModel&, OnnxExperts) {
  throw no_files("export");
}

AnyModel import_keras(const std::filesystem::path&, const KerasOptions&) {
  throw no_files("import");
}

SavedModel import_onnx(const std::filesystem::path&, const OnnxOptions&) {
  throw no_files("import");
}

SavedMixture join_parts(const std::map<std::string, SavedModel>&,
                        const std::vector<Groups::Group>&) {
  throw no_files("import");
}

std::filesystem::path fetch_cifar10(const std::string&, const DataEvents&) {
  throw machine_error("download",
                      "the program of the Python package does not download: "
                      "`python -c 'import sluice; sluice.load_data(\"cifar-10\")'` does, once");
}

}  // namespace sluice

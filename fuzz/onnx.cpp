#include "formats/onnx/import.h"
#include "fuzz/targets.h"

namespace sluice::fuzz {
namespace {

/// The structs of a node and its attributes take 75 bytes for a byte of the file, and constants and
/// weights at most 4 values, 32 bytes, which the network and its copy have too. The constant is for
/// messages and the table of operations.
constexpr std::size_t kBytesPerByte = 256;
constexpr std::size_t kConstant = 262'144;

}  // namespace

bool onnx(std::string_view bytes) {
  const OnnxOptions options{.input = {6, 5, 3}};
  return read_or_refuse("fuzz", kBytesPerByte * bytes.size() + kConstant,
                        [&] { return import_onnx(bytes, options, "fuzz"); })
      .has_value();
}

}  // namespace sluice::fuzz

#include "formats/safetensors/safetensors_testing.h"
#include "fuzz/targets.h"

namespace sluice::fuzz {
namespace {

/// Measured: 12 per byte for metadata of short keys, `"abc":"",`, each a node of a map; 6 for
/// tensors and for one long string, including the parser's buffers. The constant is for messages.
constexpr std::size_t kBytesPerByte = 16;
constexpr std::size_t kConstant = 16'384;

const std::string kPlace = "the-file";

/// Checks that writing and reading gives the same file.
void require_round_trip(const Safetensors& file) {
  const std::string bytes = written_again(file, file.metadata());
  const Safetensors again = Safetensors::parse(bytes, kPlace);
  require(again.metadata() == file.metadata(), "other metadata after writing");
  require(again.tensors().size() == file.tensors().size(), "other tensors after writing");
  for (const Safetensors::Tensor& tensor : file.tensors()) {
    const Safetensors::Tensor* same = again.find(tensor.name);
    require(same != nullptr && same->shape == tensor.shape && same->begin == tensor.begin &&
                same->end == tensor.end,
            "another tensor after writing");
  }
}

}  // namespace

bool safetensors(std::string_view bytes) {
  const auto file = read_or_refuse(kPlace, kBytesPerByte * bytes.size() + kConstant,
                                   [&] { return Safetensors::parse(std::string(bytes), kPlace); });
  if (file) require_round_trip(*file);
  return file.has_value();
}

}  // namespace sluice::fuzz

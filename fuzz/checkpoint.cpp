#include <cmath>

#include "base/files.h"
#include "fuzz/targets.h"
#include "run/checkpoints.h"
#include "tests/scratch_folder.h"

namespace sluice::fuzz {
namespace {

/// Limit of safetensors, plus the metadata's JSON.
constexpr std::size_t kBytesPerByte = 96;
constexpr std::size_t kConstant = 262'144;

}  // namespace

bool checkpoint(std::string_view bytes) {
  static const ScratchFolder folder;
  Checkpoints checkpoints(folder / "checkpoints", {"seed = 0\n", "data", [] { return "machine"; }});
  write_file(folder / "checkpoints/cnn.00001-0000001.safetensors", bytes);
  std::vector<float> weights(3);
  FitState state;
  state.blocks = {{"weights/0", weights}};
  bool read = false;
  read_or_refuse(folder.path().string(), kBytesPerByte * bytes.size() + kConstant, [&] {
    std::string said;
    read = checkpoints.read("cnn", state, [&](const std::string& line) { said = line; });
    require(read || said.find('\n') == std::string::npos, "two lines");
    return read;
  });
  require(state.epoch >= 1 && state.step >= 0, "no such step");
  require(read || weights == std::vector<float>(3), "weights of a file that was passed over");
  return read;
}

}  // namespace sluice::fuzz

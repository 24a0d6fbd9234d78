#include "base/files.h"
#include "fuzz/targets.h"
#include "run/run_contents.h"
#include "tests/scratch_folder.h"

namespace sluice::fuzz {
namespace {

/// Measured: 50 per byte for a list of `{}`, twice, because it is checked before it is built. The
/// constant is for messages and the other files.
constexpr std::size_t kBytesPerByte = 128;
constexpr std::size_t kConstant = 262'144;

}  // namespace

bool results(std::string_view bytes) {
  static const ScratchFolder folder;
  const std::string lab = SLUICE_SOURCE_DIR "/experiments/lab.toml";
  write_file(folder / "experiment.toml", read_file(lab, 1 << 20));
  write_file(folder / "gallery.json", "{}");
  write_file(folder / "results.json", bytes);
  const auto contents =
      read_or_refuse(folder.path().string(), kBytesPerByte * bytes.size() + kConstant,
                     [&] { return contents_of(RunFolder::open(folder.path())); });
  return contents.has_value();
}

}  // namespace sluice::fuzz

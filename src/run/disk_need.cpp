#include "run/disk_need.h"

#include <algorithm>
#include <vector>

#include "base/fail.h"
#include "base/machine.h"
#include "base/text.h"

namespace sluice {

namespace {

struct StageSize {
  std::int64_t parameters;  ///< of the model
  std::int64_t trained;     ///< trained ones of these
};

StageSize size_of(const Sequential& model) {
  const std::int64_t parameters = count_parameters(model);
  return {parameters, parameters};
}

StageSize size_of(const Mixture& model) {
  const std::int64_t parameters = count_parameters(model);
  return {parameters, parameters - count_parameters(model.gate)};
}

}  // namespace

std::uint64_t peak_disk_bytes(const Lab& lab, const LabOptions& options, int parallel) {
  constexpr std::int64_t kCheckpoints = 3;
  constexpr std::uint64_t kTexts = 20'000'000;
  const bool best = options.early_stopping.enabled && options.early_stopping.restore_best_weights;
  const OptimizerOptions& optimizer = options.optimizer;
  const int of_optimizer = optimizer.name == "sgd" ? 1 : 2;
  const int averages = (optimizer.use_ema ? 1 : 0) + (optimizer.lookahead.sync_period > 0 ? 1 : 0);
  const std::int64_t copies = kCheckpoints * (1 + of_optimizer + averages + (best ? 1 : 0));
  std::int64_t kept = 0;
  std::int64_t peak = 0;
  for (const Stage& stage : lab.stages()) {
    const StageSize size =
        std::visit([](const auto& model) { return size_of(model); }, lab.model_of(stage));
    const int beside = stage.kind == StageKind::mixture ? 1 : parallel;
    peak = std::max(peak, kept + beside * copies * size.trained);
    kept += size.parameters + size.trained;
  }
  return kTexts + sizeof(float) * static_cast<std::uint64_t>(std::max(peak, kept));
}

std::uint64_t bytes_in(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::uint64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code gone;
    const std::uintmax_t size = it->is_regular_file(gone) ? it->file_size(gone) : 0;
    if (!gone) bytes += size;
  }
  return bytes;
}

void require_disk(const std::filesystem::path& folder, const Lab& lab, const LabOptions& options,
                  int parallel) {
  constexpr std::uint64_t kMegabyte = 1'000'000;
  const std::uint64_t peak = peak_disk_bytes(lab, options, parallel);
  const std::uint64_t need = peak - std::min(peak, bytes_in(folder));
  const std::uint64_t free = free_disk_bytes(folder);
  if (free >= need) return;
  throw machine_error("run",
                      "{} needs {} MB more while it trains, and the disk has {} MB free: free {} "
                      "MB, or choose another disk (--run DIR)",
                      path_text(folder), need / kMegabyte + 1, free / kMegabyte,
                      (need - free) / kMegabyte + 1);
}

}  // namespace sluice

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sluice/lab/models.h"
#include "sluice/network.h"

namespace sluice::cli {

/// Works that `sluice bench` measures: models with initial weights, on random pixels, because the
/// time of a step does not depend on them. The lab's are for CIFAR-10.
struct Work {
  /// "train": the baseline; "joint": the mixture; "inference": the mixture, or the network's
  std::string name;
  int batch;
  std::optional<NetworkChoice> network = {};  ///< in place of the lab's models
  int image_size = 32;                        ///< height and width
};

struct WorkResult {
  Work work;
  double images_per_second = 0;
  double median_ms = 0;  ///< per step
  std::int64_t steps = 0;
  double seconds = 0;
  std::vector<LayerProfile> profile;  ///< of the measured steps

  /// Returns 10^9 operations per second, as the layers' definitions count them for any algorithm.
  double gflops() const;
};

/// Runs steps for at least `seconds`, after a warm-up.
WorkResult measure(const Work& work, Compute compute, double seconds);

}  // namespace sluice::cli

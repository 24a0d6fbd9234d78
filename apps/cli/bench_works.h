#pragma once

#include <string>
#include <vector>

#include "sluice/network.h"

namespace sluice::cli {

/// What `sluice bench` measures: images of random pixels, for what a step costs does not depend on
/// them; the lab's models for CIFAR-10, small, with fresh weights.
struct Work {
  std::string name;  ///< "train": the baseline; "joint": the mixture; "inference": the mixture
  int batch;
};

struct WorkResult {
  Work work;
  double images_per_second = 0;
  double median_ms = 0;  ///< of a step
  std::int64_t steps = 0;
  double seconds = 0;
  std::vector<LayerProfile> profile;  ///< of these steps

  /// Of the layers' definitions, whatever the algorithm needs: 10^9 operations a second.
  double gflops() const;
};

/// Runs steps for at least `seconds`, after some that are not counted.
WorkResult measure(const Work& work, Compute compute, double seconds);

}  // namespace sluice::cli

#pragma once

#include "cli/output.h"
#include "sluice/lab/run.h"
#include "sluice/process.h"

namespace sluice::cli {

/// Calls work(cluster) on rank 0, or where no launcher started ranks work(null). The other ranks
/// train meanwhile what that asks for. An error on one of them is told once.
template <class Work>
void on_ranks(double deadline, const Work& work) {
  const std::unique_ptr<Cluster> cluster = Cluster::join(deadline);
  if (!cluster) return work(nullptr);
  try {
    if (cluster->rank() == 0) {
      work(cluster.get());
    } else {
      const GracefulStop stop;  // rank 0 stops all
      cluster->serve();
    }
    cluster->finish();
  } catch (const Error& error) {
    cluster->report(error);
    silence(!cluster->tells(error));
    throw;
  } catch (const std::exception& error) {
    cluster->report({Fault::machine, "cluster", error.what()});
    throw;
  }
}

}  // namespace sluice::cli

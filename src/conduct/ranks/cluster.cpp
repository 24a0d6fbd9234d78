#include "sluice/lab/run.h"

#include "cluster/launch.h"
#include "cluster/ranks.h"
#include "conduct/ranks/service.h"

namespace sluice {

std::unique_ptr<Cluster> Cluster::join(double deadline) {
  std::unique_ptr<Wire> wire = join_ranks();
  if (!wire) return nullptr;
  auto cluster = std::make_unique<Cluster>(*wire, deadline);
  cluster->own_wire_ = std::move(wire);
  return cluster;
}

Cluster::Cluster(Wire& wire, double deadline)
    : wire_(wire), ranks_(std::make_unique<Ranks>(wire, Ranks::Seconds(deadline))) {}

Cluster::~Cluster() = default;

int Cluster::launched_rank() {
  return sluice::launched_rank();
}

int Cluster::launched_ranks() {
  return sluice::launched_ranks();
}

int Cluster::rank() const {
  return ranks_->rank();
}

int Cluster::size() const {
  return ranks_->count();
}

void Cluster::serve() {
  sluice::serve(*ranks_);
}

void Cluster::finish() {
  if (rank() == 0) end_service(*ranks_);
  wire_.leave();
}

void Cluster::report(const Error& error) noexcept {
  if (dynamic_cast<const ReportedError*>(&error) == nullptr) ranks_->report(error);
}

bool Cluster::tells(const Error& error) const {
  // A silent rank 0 may wake up when it is ended.
  if (ranks_->silent() != 0) return rank() == 0;
  return rank() != 0 && dynamic_cast<const ReportedError*>(&error) == nullptr;
}

}  // namespace sluice

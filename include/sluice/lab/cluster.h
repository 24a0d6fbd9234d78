#pragma once

#include <exception>
#include <memory>
#include <string>

#include "sluice/error.h"

#pragma GCC visibility push(default)

namespace sluice {

class Ranks;
class Wire;

/// The processes, called ranks, that mpirun or srun started together, on one computer or several.
/// Rank 0 conducts runs: it has the run folder and tells the others what to train. They need no
/// folder and no settings.
class Cluster {
 public:
  /// Joins the ranks, which all call it, once. Null if nothing started ranks, or one alone. A rank
  /// that does not answer within the deadline, in seconds, ends the work of all. Throws Error: user
  /// if this Sluice was built without MPI, machine if MPI does not start.
  static std::unique_ptr<Cluster> join(double deadline);
  /// By another wire than MPI's; not owned.
  Cluster(Wire& wire, double deadline);
  ~Cluster();

  /// The number that the launcher gave this process, before and without join(); 0 without one.
  static int launched_rank();
  /// The number of ranks that it started; 0 without one.
  static int launched_ranks();

  int rank() const;  ///< from 0
  int size() const;
  Ranks& ranks() { return *ranks_; }

  /// On all ranks but 0: trains what rank 0 asks for, until it calls finish(). Throws Error; what
  /// another rank reported is a ReportedError, which that rank or rank 0 tells the user.
  void serve();
  /// On rank 0: the others return from serve(). On all ranks it is the last call.
  void finish();
  /// Tells the other ranks that this one ends with an error. Does not wait for them.
  void report(const Error& error) noexcept;
  /// Whether this rank should print its error: rank 0 prints those of all that it can hear of.
  bool tells(const Error& error) const;

 private:
  std::unique_ptr<Wire> own_wire_;
  Wire& wire_;
  std::unique_ptr<Ranks> ranks_;
};

}  // namespace sluice

#pragma GCC visibility pop

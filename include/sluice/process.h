#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <span>

#pragma GCC visibility push(default)

namespace sluice {

// Settings of the process for programs that train or predict. Nothing here prints, and only the
// program's own callback ends the process.

/// Thrown by check_interrupt(). A program that ends because of it should exit with 128 + signal().
class Interrupted : public std::exception {
 public:
  explicit Interrupted(int signal) : signal_(signal) {}
  /// "stopped by Ctrl-C"
  const char* what() const noexcept override;
  int signal() const { return signal_; }

 private:
  int signal_;
};

/// Lets Ctrl-C (SIGINT), SIGTERM and SIGHUP stop work at calls of check_interrupt(). Blocks these
/// signals in the calling thread and all threads that it starts, because a handler on a computing
/// thread may corrupt its memory (see CompiledModel); a separate thread waits for them. A SIGHUP
/// that is ignored, as under nohup, stays ignored.
///
/// Half a second after the first signal this thread calls `end`, unless a GracefulStop exists.
/// `end` can print a message and should call _exit(), because exit() would destroy objects that
/// other threads still use. If it returns or is empty, the program continues. A second signal
/// within the half second counts as the same one, because `timeout` sends two; a later one ends the
/// process by the system's default.
///
/// Call this once, before the program has other threads, and not in a program that handles these
/// signals itself. Throws std::system_error if no thread can be started.
void watch_for_interrupt(std::function<void(int signal)> end);

/// Whether a signal was received. This and check_interrupt() may be called from any thread.
bool interrupted();

/// Throws Interrupted if a signal was received. Call it where stopping is safe: observers and
/// callbacks of this library may throw.
void check_interrupt();

/// While this object exists, a signal does not end the process: work ends at its next call of
/// check_interrupt(), so that it can save its state first. Only one may exist at a time.
class GracefulStop {
 public:
  GracefulStop();
  ~GracefulStop();
  GracefulStop(const GracefulStop&) = delete;
  GracefulStop& operator=(const GracefulStop&) = delete;
};

/// Restarts the program, by execv() with these arguments, so that OpenMP's threads spin only
/// briefly when they wait for each other. By default GCC's threads spin for milliseconds at each of
/// about a hundred loops per step, which wastes time if other programs use the cores
/// (docs/performance.md has the numbers). Returns at once in the restarted program, and if the user
/// has set GOMP_SPINCOUNT or OMP_WAIT_POLICY. Also returns if the restart fails; then the default
/// stays.
///
/// Call this first in main(), because the restarted program repeats everything before it. GCC's
/// OpenMP reads the environment before main(), so setting the variable is not enough.
void restart_with_short_waits(char** argv);

/// For a program that mpirun started: lets it use all cores that the system allows, divided among
/// the ranks of this computer, where Open MPI would bind it to one. Leaves a policy that the user
/// named (--bind-to), and OMP_NUM_THREADS if it is set. Restarts the program as
/// restart_with_short_waits() does, if something changes.
void use_all_cores(char** argv);

/// Processes, called ranks as in MPI, that train one model together. All call the same functions in
/// the same order. One thread at a time may call it; a model calls it from another one while it
/// computes.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;  ///< from 0
  virtual int size() const = 0;  ///< number of ranks

  /// Sends bytes to another rank while it receives as many as that one sends in the same call.
  /// Throws Error if the other one ended, reported an error, or does not answer in time; the
  /// message names its host and number.
  virtual void exchange(int partner, std::span<const std::byte> send,
                        std::span<std::byte> receive) = 0;
};

}  // namespace sluice

#pragma GCC visibility pop

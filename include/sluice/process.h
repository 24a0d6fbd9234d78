#pragma once

#include <exception>
#include <functional>

namespace [[gnu::visibility("default")]] sluice {

// What a program sets up for its process before it trains or predicts. Nothing here prints, and
// nothing ends the process but what the program hands in.

/// Thrown by check_interrupt(). A program that it ends should exit with 128 + signal().
class Interrupted : public std::exception {
 public:
  explicit Interrupted(int signal) : signal_(signal) {}
  /// "stopped by Ctrl-C"
  const char* what() const noexcept override;
  int signal() const { return signal_; }

 private:
  int signal_;
};

/// Makes Ctrl-C (SIGINT), SIGTERM and SIGHUP stop work where check_interrupt() is called. Blocks
/// them in the calling thread and all that it starts, since a handler on a thread that computes
/// may corrupt its memory (see CompiledModel); a thread of its own waits for them. A SIGHUP that is
/// ignored, as under nohup, stays so.
///
/// Half a second after the first signal that thread calls `end` unless a GracefulStop lives: print
/// there what is to be said, and call _exit(), for exit() would destroy what other threads still
/// use. If it returns, or is empty, the program goes on. A signal within the half second counts as
/// the same one, since `timeout` sends two; a later one ends the process by the system's default.
///
/// Call it once, before the program has other threads, and not in a program that handles these
/// signals itself. Throws std::system_error if no thread can be started.
void watch_for_interrupt(std::function<void(int signal)> end);

/// Whether a signal was noted. This and check_interrupt() may be called from any thread.
bool interrupted();

/// Throws Interrupted if a signal was noted. Call it wherever stopping is safe: observers and
/// callbacks of this library may throw.
void check_interrupt();

/// While one lives, work is not ended until it calls check_interrupt(), however long that takes: it
/// has something to save first. One at a time.
class GracefulStop {
 public:
  GracefulStop();
  ~GracefulStop();
  GracefulStop(const GracefulStop&) = delete;
  GracefulStop& operator=(const GracefulStop&) = delete;
};

/// Starts the program again, by execv() with these arguments, with an OpenMP whose threads spin
/// only briefly where they wait for another. By default GCC's spin for milliseconds at each of a
/// hundred loops a step: in vain where other programs have the cores (docs/performance.md has the
/// numbers). Returns at once in the started program, and where the user has set GOMP_SPINCOUNT or
/// OMP_WAIT_POLICY. Returns too where the start fails: then threads spin as they do.
///
/// Call it first in main(), since all that was done before is done again. GCC's OpenMP reads the
/// environment before main(), so setting the variable is not enough.
void restart_with_short_waits(char** argv);

}  // namespace sluice

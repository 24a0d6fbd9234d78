#pragma once

#include <exception>

namespace sluice::cli {

/// Thrown by check_interrupt(); the program exits with 128 + signal.
class Interrupted : public std::exception {
 public:
  explicit Interrupted(int signal) : signal_(signal) {}
  const char* what() const noexcept override;
  int signal() const { return signal_; }

 private:
  int signal_;
};

/// From here on Ctrl-C, SIGTERM and SIGHUP are noted, for check_interrupt() to find. Half a second
/// later the program ends by itself, unless a GracefulStop lives. A later signal ends it at once;
/// one within the half second is the same: `timeout` sends two. Called before there are other
/// threads.
void watch_for_interrupt();

/// Whether a signal was noted.
bool interrupted();

/// Throws Interrupted if a signal was noted. Called wherever stopping is safe.
void check_interrupt();

/// While it lives, work is not ended until it calls check_interrupt(), however long that takes: it
/// has something to save first.
class GracefulStop {
 public:
  GracefulStop();
  ~GracefulStop();
  GracefulStop(const GracefulStop&) = delete;
  GracefulStop& operator=(const GracefulStop&) = delete;
};

}  // namespace sluice::cli

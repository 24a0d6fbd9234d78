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

/// From here on the first Ctrl-C or SIGTERM is only noted; a second one ends the program at once.
/// Called before there are other threads.
void watch_for_interrupt();

/// Whether a signal was noted.
bool interrupted();

/// Throws Interrupted if a signal was noted. Called wherever stopping is safe.
void check_interrupt();

}  // namespace sluice::cli

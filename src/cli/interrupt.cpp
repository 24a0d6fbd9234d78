#include "cli/interrupt.h"

#include <csignal>

namespace sluice::cli {

namespace {

volatile std::sig_atomic_t noted_signal = 0;

void note(int signal) {
  noted_signal = signal;
}

}  // namespace

const char* Interrupted::what() const noexcept {
  return signal_ == SIGINT ? "stopped by Ctrl-C" : "stopped by a signal";
}

void watch_for_interrupt() {
  struct sigaction action = {};
  action.sa_handler = note;
  // The handler is gone after its first call, so that the second signal ends the program; and a
  // system call that was under way goes on.
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGXFSZ, SIG_IGN);  // a file larger than allowed is an error that write() tells
}

bool interrupted() {
  return noted_signal != 0;
}

void check_interrupt() {
  if (interrupted()) throw Interrupted(noted_signal);
}

}  // namespace sluice::cli

#include "cli/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <ctime>
#include <thread>

#include "base/timer.h"
#include "cli/output.h"

namespace sluice::cli {

namespace {

constexpr double kGraceSeconds = 0.5;

std::atomic<int> noted_signal = 0;
std::atomic<bool> stops_gracefully = false;

/// Signals within the grace are the same one: take them off.
void wait_for_grace(const sigset_t& signals) {
  const Timer timer;
  for (double left = kGraceSeconds; left > 0; left = kGraceSeconds - timer.seconds()) {
    const timespec rest{0, static_cast<long>(left * 1e9)};
    sigtimedwait(&signals, nullptr, &rest);
  }
}

void wait_for(const sigset_t& signals) {
  int signal = 0;
  if (sigwait(&signals, &signal) == 0) noted_signal = signal;
  wait_for_grace(signals);
  if (!stops_gracefully) {
    complain(Interrupted(signal).what());
    ::_exit(128 + signal);
  }
  // What comes now meets this thread, and a program that leaves it to the system: the end.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  for (;;) ::pause();
}

}  // namespace

const char* Interrupted::what() const noexcept {
  switch (signal_) {
    case SIGINT:
      return "stopped by Ctrl-C";
    case SIGHUP:
      return "stopped, for its terminal was closed";
    default:
      return "stopped by a signal";
  }
}

void watch_for_interrupt() {
  // Without a handler. oneDNN's GEMM keeps data behind its stack pointer, which points into the
  // heap meanwhile: the frame of a handler on that thread overwrites the heap around it
  // (uxlfoundation/oneDNN issue 4845, mended in 3.11.2). So all threads block the signals, those of
  // OpenMP as heirs of this one, and one that computes nothing waits for them.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    // nohup ignores SIGHUP, and means it. A shell's background jobs begin with SIGINT ignored.
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    if (signal == SIGHUP && before.sa_handler == SIG_IGN) continue;
    sigaddset(&signals, signal);
    std::signal(signal, SIG_DFL);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread(wait_for, signals).detach();
  // Both are errors that write() tells: a file larger than allowed, a pipe that nobody reads.
  for (const int signal : {SIGXFSZ, SIGPIPE}) std::signal(signal, SIG_IGN);
}

bool interrupted() {
  return noted_signal != 0;
}

void check_interrupt() {
  if (interrupted()) throw Interrupted(noted_signal);
}

GracefulStop::GracefulStop() {
  stops_gracefully = true;
}

GracefulStop::~GracefulStop() {
  stops_gracefully = false;
}

}  // namespace sluice::cli

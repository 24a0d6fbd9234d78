#include "cli/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

namespace sluice::cli {

namespace {

std::atomic<int> noted_signal = 0;

void wait_for(const sigset_t& signals) {
  int signal = 0;
  if (sigwait(&signals, &signal) == 0) noted_signal = signal;
  // What comes now meets this thread, and a program that leaves it to the system: the end.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  for (;;) ::pause();
}

}  // namespace

const char* Interrupted::what() const noexcept {
  return signal_ == SIGINT ? "stopped by Ctrl-C" : "stopped by a signal";
}

void watch_for_interrupt() {
  // Without a handler. oneDNN's GEMM keeps data behind its stack pointer, which points into the
  // heap meanwhile: the frame of a handler on that thread overwrites the heap around it
  // (uxlfoundation/oneDNN issue 4845, mended in 3.11.2). So all threads block the signals, those of
  // OpenMP as heirs of this one, and one that computes nothing waits for them.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM}) {
    sigaddset(&signals, signal);
    std::signal(signal, SIG_DFL);  // a shell's background jobs begin with SIGINT ignored
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread(wait_for, signals).detach();
  std::signal(SIGXFSZ, SIG_IGN);  // a file larger than allowed is an error that write() tells
}

bool interrupted() {
  return noted_signal != 0;
}

void check_interrupt() {
  if (interrupted()) throw Interrupted(noted_signal);
}

}  // namespace sluice::cli

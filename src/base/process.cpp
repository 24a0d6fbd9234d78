#include "sluice/process.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <thread>
#include <utility>

#include "base/timer.h"

namespace sluice {

namespace {

constexpr double kGraceSeconds = 0.5;
/// How often a waiting thread looks before it sleeps.
constexpr const char* kSpinCount = "1000";

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

void wait_for(const sigset_t& signals, const std::function<void(int)>& end) {
  int signal = 0;
  if (sigwait(&signals, &signal) == 0) noted_signal = signal;
  wait_for_grace(signals);
  if (!stops_gracefully && end) end(signal);
  // A later signal is delivered to this thread, and ends the process.
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

void watch_for_interrupt(std::function<void(int signal)> end) {
  // Without a handler. oneDNN's GEMM keeps data behind its stack pointer, which points into the
  // heap meanwhile: the frame of a handler on that thread overwrites the heap around it
  // (uxlfoundation/oneDNN issue 4845, mended in 3.11.2).
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    // A shell's background jobs begin with SIGINT ignored, and are to be stopped all the same.
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    if (signal == SIGHUP && before.sa_handler == SIG_IGN) continue;
    sigaddset(&signals, signal);
    std::signal(signal, SIG_DFL);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread(wait_for, signals, std::move(end)).detach();
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

void restart_with_short_waits(char** argv) {
  if (getenv("GOMP_SPINCOUNT") != nullptr || getenv("OMP_WAIT_POLICY") != nullptr) return;
  std::error_code none;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", none);
  if (none || setenv("GOMP_SPINCOUNT", kSpinCount, 1) != 0) return;
  execv(program.c_str(), argv);  // returns only where it fails: then the threads spin
}

}  // namespace sluice

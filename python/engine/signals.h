#pragma once

#include <signal.h>

#include <nanobind/nanobind.h>

#include "base/timer.h"

namespace sluice::python {

/// While it exists, this thread's signals wait, and so do those of threads that it starts: a
/// handler on a computing thread may corrupt its memory (see CompiledModel). Other threads get them
/// as before.
class SignalsWait {
 public:
  SignalsWait() { block(); }
  ~SignalsWait() { let_in(); }
  SignalsWait(const SignalsWait&) = delete;
  SignalsWait& operator=(const SignalsWait&) = delete;

  /// Runs the handlers of signals that wait. Python's note the signal, and no more.
  void let_in() const { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  void block() {
    sigset_t all;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) {
      sigdelset(&all, fault);
    }
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }

  /// Calls Python, with signals as before: a callback may take long, or wait for one.
  template <class Call>
  void with_python(Call call) {
    let_in();
    const Blocks again{*this};
    const nanobind::gil_scoped_acquire gil;
    call();
  }

  /// Throws what a handler of Python's raises, such as KeyboardInterrupt for Ctrl-C. Needs no lock
  /// of Python. Looks every tenth of a second, because the lock may be with another thread.
  void check() {
    constexpr double kPause = 0.1;  // seconds
    if (timer_.seconds() < kPause) return;
    timer_ = Timer();
    with_python([] {
      if (PyErr_CheckSignals() != 0) throw nanobind::python_error();
    });
  }

 private:
  struct Blocks {
    ~Blocks() { signals.block(); }
    SignalsWait& signals;
  };

  sigset_t before_;
  Timer timer_;
};

}  // namespace sluice::python

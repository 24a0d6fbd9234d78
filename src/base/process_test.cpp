#include "sluice/process.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "tests/scratch.h"

namespace sluice {
namespace {

/// Each case runs in a process of its own, started again, in which nothing else happened.
class ProcessDeathTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

void end_with_40_and(int signal) {
  ::_exit(40 + signal);
}

constexpr useconds_t kAfterTheGrace = 800'000;  // microseconds; the grace is half a second

void send(int signal) {
  ::kill(::getpid(), signal);
  ::usleep(kAfterTheGrace);
}

/// Sends until the signal ends this process: on a busy machine that may take a while.
void send_until_the_end(int signal) {
  for (int turn = 0; turn < 50; ++turn) send(signal);
}

TEST_F(ProcessDeathTest, ASignalCallsWhatTheProgramHandsIn) {
  EXPECT_EXIT(
      {
        watch_for_interrupt(end_with_40_and);
        send_until_the_end(SIGTERM);
      },
      testing::ExitedWithCode(40 + SIGTERM), "^$");
}

TEST_F(ProcessDeathTest, AGracefulStopIsLeftToEndByItself) {
  EXPECT_EXIT(
      {
        watch_for_interrupt(end_with_40_and);
        const GracefulStop graceful;
        check_interrupt();
        send(SIGINT);
        try {
          while (!interrupted()) ::usleep(1000);
          check_interrupt();
        } catch (const Interrupted& stop) {
          ::fputs(stop.what(), stderr);
          ::_exit(stop.signal());
        }
      },
      testing::ExitedWithCode(SIGINT), "^stopped by Ctrl-C$");
}

TEST_F(ProcessDeathTest, ALaterSignalEndsTheProcess) {
  EXPECT_EXIT(
      {
        watch_for_interrupt({});
        send(SIGINT);
        send_until_the_end(SIGTERM);
      },
      testing::KilledBySignal(SIGTERM), "^$");
}

TEST_F(ProcessDeathTest, AnIgnoredHangUpStaysIgnored) {
  EXPECT_EXIT(
      {
        std::signal(SIGHUP, SIG_IGN);
        watch_for_interrupt(end_with_40_and);
        send(SIGHUP);
        ::_exit(interrupted() ? 1 : 0);
      },
      testing::ExitedWithCode(0), "^$");
}

/// Ends well, having shown its help to nobody, where it is started again.
void start_again() {
  std::freopen("/dev/null", "w", stdout);
  char name[] = "sluice_tests";
  char help[] = "--help";
  char* arguments[] = {name, help, nullptr};
  restart_with_short_waits(arguments);
  ::_exit(1);
}

TEST_F(ProcessDeathTest, ShortWaitsNeedANewStartUnlessTheUserHasChosen) {
  const ScopedVariable turns("GOMP_SPINCOUNT", nullptr);
  {
    const ScopedVariable policy("OMP_WAIT_POLICY", nullptr);
    EXPECT_EXIT(start_again(), testing::ExitedWithCode(0), "^$");
  }
  const ScopedVariable policy("OMP_WAIT_POLICY", "active");
  EXPECT_EXIT(start_again(), testing::ExitedWithCode(1), "^$");
}

}  // namespace
}  // namespace sluice

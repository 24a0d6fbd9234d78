#include "base/confined.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "base/fail.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

const Confinement kLimits{"test", "f.h5", "HDF5", 64 << 20, 2, 32 << 20};

std::string refusal(const std::function<std::string()>& function,
                    const Confinement& limits = kLimits) {
  return error_of(Fault::user, [&] { run_confined(limits, function); });
}

TEST(Confined, ResultsComeBackWhole) {
  EXPECT_EQ(run_confined(kLimits, [] { return std::string("a\0b", 3); }), std::string("a\0b", 3));
  EXPECT_EQ(run_confined(kLimits, [] { return std::string(); }), "");
  std::string big(20 << 20, 'x');  // larger than a pipe's buffer
  big[12345678] = 'y';
  EXPECT_EQ(run_confined(kLimits, [&] { return big; }), big);
}

TEST(Confined, ErrorsAreHandedOver) {
  EXPECT_EQ(refusal([]() -> std::string { throw user_error("keras", "f: bad {}", 1); }),
            "[keras] f: bad 1");
  EXPECT_EQ(error_of(Fault::machine,
                     [] {
                       run_confined(kLimits, []() -> std::string {
                         throw machine_error("keras", "no room");
                       });
                     }),
            "[keras] no room");
  EXPECT_EQ(refusal([]() -> std::string { throw std::runtime_error("odd\nthing"); }),
            "[test] f.h5 is damaged: HDF5 could not read it: odd?thing");
}

TEST(Confined, ACrashIsAnError) {
  // raise() and not a wild write: a sanitizer would report that first.
  EXPECT_EQ(refusal([]() -> std::string {
              raise(SIGSEGV);
              return "";
            }),
            "[test] f.h5 is damaged: HDF5 could not read it: it ended with the signal "
            "'Segmentation fault'");
  EXPECT_THAT(refusal([]() -> std::string { _exit(0); }), HasSubstr("it ended early"));
}

TEST(Confined, MemoryHasALimit) {
#ifdef SLUICE_SANITIZED
  GTEST_SKIP() << "a sanitizer's allocator ends the program instead";
#endif
  EXPECT_EQ(refusal([] { return std::string(256 << 20, 'x'); }),
            "[test] f.h5 is damaged: HDF5 could not read it: it needs more than 64 MiB of memory");
}

TEST(Confined, TimeHasALimit) {
  Confinement limits = kLimits;
  limits.processor_seconds = 1;
  EXPECT_EQ(refusal(
                []() -> std::string {
                  const std::clock_t start = std::clock();
                  while (std::clock() - start >= 0) {
                  }
                  return "";
                },
                limits),
            "[test] f.h5 is damaged: HDF5 could not read it: it took more than 1 s");
}

TEST(Confined, ResultsHaveALimit) {
  Confinement limits = kLimits;
  limits.result_bytes = 1 << 16;
  EXPECT_EQ(refusal([] { return std::string(1 << 22, 'x'); }, limits),
            "[test] f.h5 is damaged: HDF5 could not read it: it returned more than 65536 bytes");
}

TEST(Confined, NoFileCanBeOpened) {
#ifdef SLUICE_SANITIZED
  GTEST_SKIP() << "a sanitizer opens some itself";
#endif
  EXPECT_EQ(run_confined(kLimits,
                         [] {
                           return std::string(open("/dev/null", O_RDONLY) < 0 && errno == EMFILE
                                                  ? "refused"
                                                  : "open");
                         }),
            "refused");
}

TEST(Confined, CtrlCIsTheParentsToHandle) {
  EXPECT_EQ(run_confined(kLimits,
                         [] {
                           raise(SIGINT);
                           return std::string("went on");
                         }),
            "went on");
}

TEST(Confined, LeavesNoProcessBehind) {
  Confinement limits = kLimits;
  limits.result_bytes = 1;
  run_confined(kLimits, [] { return std::string("x"); });
  refusal([] { return std::string(1 << 22, 'x'); }, limits);
  errno = 0;
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

}  // namespace
}  // namespace sluice

#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tests/scratch.h"

namespace sluice::testing {

/// Result of a program that has ended.
struct Ended {
  int code = -1;    ///< exit code, or 128 + signal
  std::string out;  ///< standard output
  std::string err;  ///< standard error
};

/// Runs the built `sluice` in a given folder, and captures its output.
class Program {
 public:
  /// Argument of setrlimit().
  struct Limit {
    __rlimit_resource resource;
    rlim_t most;
  };

  /// Target of a stream.
  enum class Stream {
    kept,
    closed,  ///< as with the shell's >&-
    full,    ///< /dev/full: a full disk
    broken,  ///< a pipe without a reader
  };
  struct Streams {
    Stream out = Stream::kept;
    Stream err = Stream::kept;
  };

  /// `environment` has NAME=VALUE texts, added to the test's own; `launcher` a program, found by
  /// PATH, that starts this one, and its arguments.
  Program(const std::filesystem::path& folder, std::vector<std::string> arguments,
          std::vector<std::string> environment = {}, std::optional<Limit> limit = {},
          Streams streams = {Stream::kept, Stream::kept},
          const std::vector<std::string>& launcher = {})
      : out_(folder / ".out"), err_(folder / ".err") {
    arguments.insert(arguments.begin(), SLUICE_PROGRAM);
    arguments.insert(arguments.begin(), launcher.begin(), launcher.end());
    child_ = fork();
    if (child_ != 0) return;
    std::filesystem::current_path(folder);
    give(STDOUT_FILENO, out_, streams.out);
    give(STDERR_FILENO, err_, streams.err);
    if (limit) {
      const rlimit both{limit->most, limit->most};
      if (setrlimit(limit->resource, &both) != 0) _exit(126);
    }
    // Without these capabilities, file permissions apply to root too.
    for (const int right : {CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH}) prctl(PR_CAPBSET_DROP, right);
    for (std::string& variable : environment) putenv(variable.data());
    std::vector<char*> raw;
    for (std::string& argument : arguments) raw.push_back(argument.data());
    raw.push_back(nullptr);
    execvp(raw[0], raw.data());
    _exit(127);
  }

  void signal(int number) const { kill(child_, number); }
  /// Returns a mask of /proc/PID/status, such as SigCgt for handled signals: see bits().
  std::uint64_t signals(const std::string& mask) const {
    const std::string status = load("/proc/" + std::to_string(child_) + "/status");
    const std::size_t at = status.find(mask + ":");
    return at == std::string::npos ? 0
                                   : std::stoull(status.substr(at + mask.size() + 1), nullptr, 16);
  }
  /// Returns the number of its threads that do not block all these signals.
  int threads_open_to(std::uint64_t signals) const {
    int open = 0;
    const std::string tasks = "/proc/" + std::to_string(child_) + "/task";
    for (const auto& task : std::filesystem::directory_iterator(tasks)) {
      const std::string status = load(task.path() / "status");
      const std::size_t at = status.find("SigBlk:");
      if (at == std::string::npos) continue;  // it has ended
      open += (~std::stoull(status.substr(at + 7), nullptr, 16) & signals) != 0 ? 1 : 0;
    }
    return open;
  }
  static std::uint64_t bits(std::initializer_list<int> signals) {
    std::uint64_t bits = 0;
    for (const int each : signals) bits |= std::uint64_t{1} << (each - 1);
    return bits;
  }
  std::string output_so_far() const { return load(out_); }

  /// Kills the program after `seconds`, which gives 128 + SIGKILL.
  Ended wait_at_most(double seconds) {
    const auto ended = [&] {
      siginfo_t info{};
      waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT);
      return info.si_pid == child_;
    };
    for (double waited = 0; !ended() && waited < seconds; waited += 0.01) usleep(10'000);
    if (!ended()) signal(SIGKILL);
    return wait();
  }

  Ended wait() {
    int status = 0;
    waitpid(child_, &status, 0);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return {code, load(out_), load(err_)};
  }

 private:
  static void give(int number, const std::filesystem::path& file, Stream stream) {
    int pipe_ends[2];
    int opened = -1;
    switch (stream) {
      case Stream::closed:
        close(number);
        return;
      case Stream::full:
        opened = open("/dev/full", O_WRONLY);
        break;
      case Stream::broken:
        if (pipe(pipe_ends) != 0) _exit(126);
        close(pipe_ends[0]);
        opened = pipe_ends[1];
        break;
      case Stream::kept:
        opened = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
        break;
    }
    if (opened < 0 || dup2(opened, number) < 0) _exit(126);
    close(opened);
  }

  std::filesystem::path out_;
  std::filesystem::path err_;
  pid_t child_ = -1;
};

}  // namespace sluice::testing

#include "base/confined.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>

#include "base/descriptor.h"
#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"

namespace sluice {

namespace {

/// First byte of the child's output; the result or the message follows.
enum class Outcome : char { result = 'R', user = 'U', machine = 'M', no_memory = 'N', other = 'O' };

constexpr std::uint64_t kMaxMessage = 4096;

#ifdef SLUICE_SANITIZED
constexpr std::uint64_t kDescriptors = 64;  // UBSan's type checks open pipes
#else
constexpr std::uint64_t kDescriptors = 0;  // no new ones; open descriptors stay open
#endif

/// Address space of this process. Sanitizers reserve terabytes, so limits are added to it.
std::uint64_t address_space(const Confinement& limits) {
  const std::string statm = read_file("/proc/self/statm", kMaxMessage, limits.tag);
  const std::uint64_t pages = std::strtoull(statm.c_str(), nullptr, 10);
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

bool limit(int resource, std::uint64_t soft, std::uint64_t hard) {
  rlimit now{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &now) != 0) return false;
  // A limit that is already lower stays: raising it needs a privilege.
  const rlimit wanted{std::min<rlim_t>(soft, now.rlim_max), std::min<rlim_t>(hard, now.rlim_max)};
  return ::setrlimit(static_cast<__rlimit_resource>(resource), &wanted) == 0;
}

bool confine(const Confinement& limits, std::uint64_t address_space) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_DUMPABLE, 0);
  // The child gets Ctrl-C too and ignores it: the parent decides. Crash signals get their default
  // actions again, so that a crash ends the child at once.
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU}) {
    std::signal(signal, SIG_DFL);
  }
  for (const int signal : {SIGINT, SIGTERM, SIGXFSZ, SIGPIPE}) std::signal(signal, SIG_IGN);
  const auto seconds = static_cast<std::uint64_t>(limits.processor_seconds);
  const std::uint64_t memory = address_space + limits.memory_bytes;
  return limit(RLIMIT_AS, memory, memory) && limit(RLIMIT_CPU, seconds, seconds + 1) &&
         limit(RLIMIT_CORE, 0, 0) && limit(RLIMIT_FSIZE, 0, 0) &&
         limit(RLIMIT_NOFILE, kDescriptors, kDescriptors) && limit(RLIMIT_NPROC, 0, 0);
}

void send(int pipe, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(pipe, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) ::_exit(1);  // the parent has exited or stopped reading
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
}

void send(int pipe, Outcome outcome, std::string_view bytes) {
  const char first = static_cast<char>(outcome);
  send(pipe, {&first, 1});
  send(pipe, bytes);
}

/// Runs the child. It ends by _exit, which neither flushes stdio buffers a second time nor runs the
/// destructors of static objects.
[[noreturn]] void run_child(int pipe, const Confinement& limits, std::uint64_t address_space,
                            const std::function<std::string()>& function) {
  try {
    if (!confine(limits, address_space)) {
      send(pipe, Outcome::other, std::strerror(errno));
    } else {
      send(pipe, Outcome::result, function());
    }
  } catch (const Error& error) {
    send(pipe, error.fault() == Fault::user ? Outcome::user : Outcome::machine, error.what());
  } catch (const std::bad_alloc&) {
    send(pipe, Outcome::no_memory, "");
  } catch (const std::exception& error) {
    send(pipe, Outcome::other, error.what());
  } catch (...) {
    send(pipe, Outcome::other, "unknown exception");
  }
  ::_exit(0);
}

/// A child process. The destructor kills and reaps it.
class Child {
 public:
  explicit Child(pid_t id) : id_(id) {}
  ~Child() {
    if (id_ <= 0) return;
    ::kill(id_, SIGKILL);
    wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int wait() {
    int status = 0;
    while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
    }
    id_ = -1;
    return status;
  }

 private:
  pid_t id_;
};

/// Reads the pipe to its end, or to one byte more than `max_bytes`.
std::string receive(int pipe, std::uint64_t max_bytes, const Confinement& limits) {
  std::string bytes;
  std::size_t size = 0;
  for (;;) {
    if (size == bytes.size()) {
      bytes.resize(
          std::min<std::uint64_t>(max_bytes + 1, std::max<std::size_t>(1 << 16, 2 * size)));
    }
    const ssize_t done = ::read(pipe, bytes.data() + size, bytes.size() - size);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) {
      throw machine_error(limits.tag, "cannot read {} through a process: {}", limits.place,
                          std::strerror(errno));
    }
    if (done == 0) break;
    size += static_cast<std::size_t>(done);
    if (size > max_bytes) break;
  }
  bytes.resize(size);
  return bytes;
}

/// Rebuilds an Error from its what(), "[tag] message".
Error error_from_child(Fault fault, const std::string& what, const Confinement& limits) {
  const std::string text = one_line(what, kMaxMessage);
  const std::size_t end = text.find("] ");
  if (text.empty() || text.front() != '[' || end == std::string::npos) {
    return {fault, limits.tag, text};
  }
  return {fault, text.substr(1, end - 1), text.substr(end + 2)};
}

template <class... Args>
Error damaged(const Confinement& limits, fmt::format_string<Args...> format, Args&&... args) {
  return user_error(limits.tag, "{} is damaged: {} could not read it: {}", limits.place,
                    limits.reader, fmt::format(format, std::forward<Args>(args)...));
}

Error killed(const Confinement& limits, int signal) {
  if (signal == SIGXCPU) {
    return damaged(limits, "it took more than {} s", limits.processor_seconds);
  }
  return damaged(limits, "it ended with the signal '{}'", ::strsignal(signal));
}

}  // namespace

std::string run_confined(const Confinement& limits, const std::function<std::string()>& function) {
  const std::uint64_t before = address_space(limits);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw machine_error(limits.tag, "cannot read {}: no pipe: {}", limits.place,
                        std::strerror(errno));
  }
  const Descriptor from_child(ends[0]);
  std::string bytes;
  int status = 0;
  {
    pid_t id = -1;
    {
      const Descriptor to_parent(ends[1]);
      id = ::fork();
      if (id < 0) {
        throw machine_error(limits.tag, "cannot read {}: no process: {}", limits.place,
                            std::strerror(errno));
      }
      if (id == 0) {
        ::close(ends[0]);
        run_child(ends[1], limits, before, function);
      }
    }
    Child child(id);
    bytes = receive(from_child.get(), std::max(limits.result_bytes, kMaxMessage), limits);
    if (bytes.size() > std::max(limits.result_bytes, kMaxMessage)) {
      throw damaged(limits, "it returned more than {} bytes", limits.result_bytes);
    }
    status = child.wait();
  }
  if (WIFSIGNALED(status)) throw killed(limits, WTERMSIG(status));
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || bytes.empty()) {
    throw damaged(limits, "it ended early");
  }
  const auto outcome = static_cast<Outcome>(bytes.front());
  bytes.erase(0, 1);
  switch (outcome) {
    case Outcome::result:
      return bytes;
    case Outcome::user:
      throw error_from_child(Fault::user, bytes, limits);
    case Outcome::machine:
      throw error_from_child(Fault::machine, bytes, limits);
    case Outcome::no_memory:
      throw damaged(limits, "it needs more than {} MiB of memory", limits.memory_bytes >> 20);
    case Outcome::other:
      break;
  }
  throw damaged(limits, "{}", one_line(bytes, kMaxMessage));
}

}  // namespace sluice

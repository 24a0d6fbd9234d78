#include "cli/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "sluice/error.h"
#include "sluice/text.h"

namespace sluice::cli {

namespace {

bool is_silent = false;
int lost_because = 0;  ///< errno of the first failure

void note(bool done) {
  if (!done && lost_because == 0) lost_because = errno != 0 ? errno : EIO;
}

std::string printable_lines(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t end = text.find('\n');
    out += printable(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    out += '\n';
    text.remove_prefix(end + 1);
  }
}

}  // namespace

void open_standard_streams() {
  // Reading from standard input and writing to the others still fails.
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0 || errno != EBADF) continue;
    // This number is the lowest free one, because those below are open.
    ::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

void silence(bool silent) {
  is_silent = silent;
}

void write_out(std::string_view text) {
  write_out_raw(printable_lines(text));
}

void write_out_raw(std::string_view text) {
  if (is_silent) return;
  errno = 0;
  note(std::fwrite(text.data(), 1, text.size(), stdout) == text.size());
}

void flush_out() {
  errno = 0;
  note(std::fflush(stdout) == 0);
}

std::string output_fault() {
  if (lost_because == 0) return {};
  return fmt::format("standard output cannot be written: {}", std::strerror(lost_because));
}

void require_output() {
  if (lost_because != 0) throw Error(Fault::machine, "output", output_fault());
}

void complain(std::string_view message) {
  if (is_silent) return;
  const std::string line = "sluice: " + printable_lines(message) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

}  // namespace sluice::cli

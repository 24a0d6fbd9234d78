#include "report/gnuplot.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sstream>

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"
#include "report/text.h"

namespace sluice {

namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

Error failure(const char* what, int error) {
  return machine_error("gnuplot", "{}: {}", what, std::strerror(error));
}

/// Makes an unnamed temporary file. Input and errors use such files and not pipes: gnuplot cannot
/// block when it reads or writes less or more than expected, and there is no SIGPIPE.
File temporary_file(const std::string& content) {
  File file(std::tmpfile(), std::fclose);
  if (!file) throw failure("cannot make a temporary file", errno);
  if (std::fwrite(content.data(), 1, content.size(), file.get()) != content.size() ||
      std::fflush(file.get()) != 0) {
    throw failure("cannot write a temporary file", errno);
  }
  ::lseek(::fileno(file.get()), 0, SEEK_SET);
  return file;
}

bool is_png(int descriptor) {
  static constexpr char kSignature[] = "\x89PNG\r\n\x1a\n";
  std::array<char, 8> start{};
  return ::pread(descriptor, start.data(), start.size(), 0) == 8 &&
         std::memcmp(start.data(), kSignature, start.size()) == 0;
}

/// Runs the program and returns the status of waitpid().
int run(const std::filesystem::path& program, int input, int output, int errors) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, errors, STDERR_FILENO);
  // The child gets its own process group: Ctrl-C reaches only this program, and gnuplot finishes
  // its picture. It does not inherit blocked signals, so that other programs can end it.
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);

  std::string name = program.string();
  std::string settings = "--default-settings";  // ignores the user's ~/.gnuplot
  std::array<char*, 3> arguments{name.data(), settings.data(), nullptr};
  pid_t child = 0;
  const int error =
      ::posix_spawn(&child, name.c_str(), &files, &attributes, arguments.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  if (error != 0) throw machine_error("gnuplot", "cannot run {}: {}", name, std::strerror(error));

  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw failure("cannot wait for it", errno);
  }
  return status;
}

/// Returns gnuplot's error message; the lines before it repeat the script.
std::string first_error(int descriptor) {
  std::string all(4096, '\0');
  const ssize_t size = ::pread(descriptor, all.data(), all.size(), 0);
  all.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  std::istringstream lines(all);
  std::string first;
  for (std::string line; std::getline(lines, line);) {
    line.erase(0, line.find_first_not_of(" \t\""));
    if (line.find("line ") != std::string::npos && line.find("warning") == std::string::npos) {
      return printable(line);
    }
    if (first.empty()) first = line;
  }
  return printable(first);
}

/// Whether any "sans" font of Debian has the character: Latin, Greek, Cyrillic and punctuation. For
/// a character without a font, gnuplot 5.4 draws a box as large as the picture.
bool is_drawable(std::string_view sequence) {
  return static_cast<unsigned char>(sequence[0]) < 0xD5 || sequence.substr(0, 2) == "\xE2\x80";
}

}  // namespace

std::optional<std::filesystem::path> find_gnuplot() {
  const char* variable = std::getenv("PATH");
  std::istringstream folders(variable == nullptr ? "" : variable);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (folder.empty()) continue;  // POSIX: the current folder, which is hardly ever meant
    const std::filesystem::path program = std::filesystem::path(folder) / "gnuplot";
    std::error_code ignored;
    if (std::filesystem::is_regular_file(program, ignored) &&
        ::access(program.c_str(), X_OK) == 0) {
      return program;
    }
  }
  return std::nullopt;
}

void run_gnuplot(const std::filesystem::path& gnuplot, const std::string& script,
                 const std::filesystem::path& file) {
  const File input = temporary_file(script);
  const File errors = temporary_file("");
  PendingFile picture(file, "gnuplot");
  // gnuplot writes the picture to standard output, so a script never contains a path.
  const int status =
      run(gnuplot, ::fileno(input.get()), picture.descriptor(), ::fileno(errors.get()));
  if (WIFSIGNALED(status)) {
    throw machine_error("gnuplot", "{}: ended by signal {}", file.string(), WTERMSIG(status));
  }
  if (WEXITSTATUS(status) != 0 || !is_png(picture.descriptor())) {
    const std::string complaint = first_error(::fileno(errors.get()));
    throw machine_error("gnuplot", "{}: {}", file.string(),
                        complaint.empty() ? "drew no picture" : complaint);
  }
  picture.keep();
}

std::string gnuplot_string(std::string_view text) {
  std::string out = "'";
  const std::string safe = printable(text);
  for (std::string_view rest = safe; !rest.empty();) {
    const std::string_view sequence = head(rest, 1);
    rest.remove_prefix(sequence.size());
    if (sequence == "'") {
      out += "''";
    } else {
      out += is_drawable(sequence) ? sequence : "?";
    }
  }
  return out + "'";
}

}  // namespace sluice

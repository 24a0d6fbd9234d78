#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace sluice::cli {

// Output of the command line. If a full disk, a closed stream or a broken pipe loses the text,
// training continues, and main() ends with exit code 1.

/// Opens /dev/null for each of the standard streams 0, 1 and 2 that is closed, in the direction
/// that fails. Otherwise the next opened file would get its number and its text.
void open_standard_streams();

/// Leaves out all output from here on, or no more: of several ranks one speaks.
void silence(bool silent);

/// Writes text to standard output. Control characters except newlines are shown as '?', because
/// names of files and classes must not control a terminal.
void write_out(std::string_view text);

/// Writes text to standard output with its control characters.
void write_out_raw(std::string_view text);

/// Writes the buffered text.
void flush_out();

/// Returns the reason for lost output; empty if none was lost.
std::string output_fault();

/// Throws Error (machine) if some of the output was lost. Verbs that only print call this before
/// each part of long work.
void require_output();

template <class... Args>
void print_out(fmt::format_string<Args...> format, Args&&... args) {
  write_out(fmt::format(format, std::forward<Args>(args)...));
}

/// Writes "sluice: message" and a newline to standard error, made printable; ignores a failure.
void complain(std::string_view message);

}  // namespace sluice::cli

#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace sluice::cli {

// Everything that the command line prints goes through here. A full disk, a closed stream or a
// broken pipe loses the text and no more: training continues, and main() ends with exit code 1.

/// Opens /dev/null for each of the standard streams 0, 1 and 2 that is closed, in the direction
/// that fails. Otherwise the next file that is opened would get the number, and the text with it.
void open_standard_streams();

/// Writes text to standard output. Control characters but the end of a line are shown as '?': names
/// of files and classes must not steer a terminal.
void write_out(std::string_view text);

/// The same for text that steers a terminal on purpose.
void write_out_raw(std::string_view text);

/// Hands on what is still buffered.
void flush_out();

/// Why some of the output was lost; empty where all of it arrived.
std::string output_fault();

/// Throws Error (machine) if some of the output was lost. Verbs that only print call this before
/// each part of long work.
void require_output();

template <class... Args>
void print_out(fmt::format_string<Args...> format, Args&&... args) {
  write_out(fmt::format(format, std::forward<Args>(args)...));
}

/// Writes "sluice: message" and the end of a line to standard error, made printable; silent where
/// that fails.
void complain(std::string_view message);

}  // namespace sluice::cli

#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "sluice/error.h"

namespace sluice {

/// Makes an Error that the user can mend: `throw user_error("cifar", "{} is empty: ...", path)`.
template <class... Args>
Error user_error(std::string_view tag, fmt::format_string<Args...> format, Args&&... args) {
  return {Fault::user, tag, fmt::format(format, std::forward<Args>(args)...)};
}

/// Makes an Error of the program or the machine: a full disk, a failed primitive.
template <class... Args>
Error machine_error(std::string_view tag, fmt::format_string<Args...> format, Args&&... args) {
  return {Fault::machine, tag, fmt::format(format, std::forward<Args>(args)...)};
}

/// Returns the message without its tag, so that a caller can put a place before it.
inline std::string_view untagged(const Error& error) {
  const std::string_view what = error.what();
  return what.substr(what.find("] ") + 2);
}

}  // namespace sluice

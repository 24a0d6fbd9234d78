#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "sluice/error.h"

namespace sluice {

/// `throw user_error("cifar", "{} is empty: ...", path)`: the mistake is the user's to mend.
template <class... Args>
Error user_error(std::string_view tag, fmt::format_string<Args...> format, Args&&... args) {
  return {Fault::user, tag, fmt::format(format, std::forward<Args>(args)...)};
}

/// The same for what is ours or the machine's: a full disk, a failed primitive.
template <class... Args>
Error machine_error(std::string_view tag, fmt::format_string<Args...> format, Args&&... args) {
  return {Fault::machine, tag, fmt::format(format, std::forward<Args>(args)...)};
}

/// What an error says without its tag, to be told again with a place before it.
inline std::string_view untagged(const Error& error) {
  const std::string_view what = error.what();
  return what.substr(what.find("] ") + 2);
}

}  // namespace sluice

#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "sluice/error.h"

namespace sluice::cli {

/// Makes the Error of a user's mistake: `throw user_error("data", "{} is empty: ...", path)`.
template <class... Args>
Error user_error(std::string_view tag, fmt::format_string<Args...> format, Args&&... args) {
  return {Fault::user, tag, fmt::format(format, std::forward<Args>(args)...)};
}

}  // namespace sluice::cli

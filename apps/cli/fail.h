#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "sluice/error.h"

namespace sluice::cli {

/// `throw user_error("data", "{} is empty: ...", path)`: the mistake is the user's to mend.
template <class... Args>
Error user_error(std::string_view tag, fmt::format_string<Args...> format, Args&&... args) {
  return {Fault::user, tag, fmt::format(format, std::forward<Args>(args)...)};
}

}  // namespace sluice::cli

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sluice/error.h"
#include "sluice/files.h"

namespace sluice {

/// That many bytes are enough to tell.
constexpr std::size_t kKindBytes = 1 << 16;

FileKind kind_of(std::string_view first_bytes);

/// Error (user) for a file of a known kind that was given in place of another: "a.png is a PNG
/// picture, not a run's folder: `sluice predict RUN a.png` says what is on it".
Error wrong_kind(std::string_view tag, const std::string& place, FileKind kind,
                 std::string_view wanted);

}  // namespace sluice

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sluice/error.h"
#include "sluice/files.h"

namespace sluice {

/// Number of first bytes that kind_of() needs.
constexpr std::size_t kKindBytes = 1 << 16;

FileKind kind_of(std::string_view first_bytes);

/// Returns an Error (user) for a file that was given in place of another kind: "a.png is a PNG
/// picture, not a run's folder: `sluice predict RUN a.png` classifies it".
Error wrong_kind(std::string_view tag, const std::string& place, FileKind kind,
                 std::string_view wanted);

}  // namespace sluice

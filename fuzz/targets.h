#pragma once

#include <fmt/format.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "fuzz/allocation_bound.h"
#include "sluice/error.h"

namespace sluice::fuzz {

// The readers of strangers' files, as libFuzzer and tests/fuzz_corpus_test.cpp call them. One
// function a target, each in a file of its own. True where the bytes could be read; false where
// they were refused with an Error (user) in one line that names the file. Anything else is a
// mistake of the reader, and thrown as std::logic_error.

bool checkpoint(std::string_view bytes);
bool cifar(std::string_view bytes);
bool experiment(std::string_view bytes);
bool image(std::string_view bytes);    ///< PNG and JPEG
bool results(std::string_view bytes);  ///< of a run's folder
bool safetensors(std::string_view bytes);
bool model_file(std::string_view bytes);
bool keras(std::string_view bytes);            ///< zip and HDF5, read by a process of its own
bool keras_flattened(std::string_view bytes);  ///< what that process sends

/// Calls `read`, which may allocate `limit` bytes at one time. Nothing where it refuses the file,
/// which it is to call `place`.
template <class Read>
auto read_or_refuse(const std::string& place, std::size_t limit, const Read& read)
    -> std::optional<decltype(read())> {
  try {
    const AllocationBound bound(limit);
    return read();
  } catch (const Error& error) {
    const std::string what = error.what();
    if (error.fault() != Fault::user) throw std::logic_error("not the user's fault: " + what);
    if (what.find('\n') != std::string::npos) throw std::logic_error("two lines: " + what);
    if (what.find(place) == std::string::npos) throw std::logic_error("names no file: " + what);
    return std::nullopt;
  }
}

/// Of a result that does not hold together.
inline void require(bool condition, const char* what) {
  if (!condition) throw std::logic_error(what);
}

}  // namespace sluice::fuzz

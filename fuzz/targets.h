#pragma once

#include <fmt/format.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "fuzz/allocation_bound.h"
#include "sluice/error.h"

namespace sluice::fuzz {

// Readers of untrusted files, for libFuzzer and tests/fuzz_corpus_test.cpp: one function per
// target, each in its own file. They return true if the bytes could be read, and false if they were
// refused with an Error (user) in one line that names the file. Any other result is a bug of the
// reader, thrown as std::logic_error.

bool checkpoint(std::string_view bytes);
bool cifar(std::string_view bytes);
bool csv(std::string_view bytes);      ///< a table of files and labels
bool decoded(std::string_view bytes);  ///< decoded pictures of the cache
bool experiment(std::string_view bytes);
bool idx(std::string_view bytes);    ///< images of MNIST's format, also as gzip
bool image(std::string_view bytes);  ///< JPEG, PNG, WebP, BMP, GIF, TIFF
bool npy(std::string_view bytes);
bool npz(std::string_view bytes);      ///< the zip archive
bool pickle(std::string_view bytes);   ///< a batch of CIFAR-10 in Python's form
bool results(std::string_view bytes);  ///< results.json of a run's folder
bool safetensors(std::string_view bytes);
bool tar(std::string_view bytes);  ///< also as gzip
bool model_file(std::string_view bytes);
bool keras(std::string_view bytes);            ///< zip and HDF5, read in a child process
bool keras_flattened(std::string_view bytes);  ///< the child process's answer
bool onnx(std::string_view bytes);

/// Calls `read`, which may have `limit` bytes allocated at a time. Returns nothing if it refuses
/// the file with an Error that names `place`.
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

/// Throws if a result is inconsistent.
inline void require(bool condition, const char* what) {
  if (!condition) throw std::logic_error(what);
}

}  // namespace sluice::fuzz

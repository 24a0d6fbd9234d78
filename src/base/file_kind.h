#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "sluice/error.h"

namespace sluice {

/// Kind of a file, identified by its first bytes and not by its name.
struct FileKind {
  enum class Of {
    unknown,
    sluice,       ///< written by write_model()
    safetensors,  ///< written by another program
    keras,        ///< .keras, or HDF5
    onnx,
    pytorch,
    model,    ///< written by another program
    picture,  ///< PNG or JPEG
    other_picture,
    archive,
    experiment,  ///< TOML
    document,    ///< JSON, HTML, PDF
    text,
    pointer,  ///< Git LFS pointer in place of the file
    empty,
  };

  Of of = Of::unknown;
  const char* words = "";  ///< "a Keras model", for messages; empty if unknown

  bool known() const { return of != Of::unknown; }
};

/// Number of first bytes that kind_of() needs.
constexpr std::size_t kKindBytes = 1 << 16;

FileKind kind_of(std::string_view first_bytes);
/// Throws Error as read_file() does.
FileKind kind_of_file(const std::filesystem::path& file, std::string_view tag);

/// Returns an Error (user) for a file that was given in place of another kind: "a.png is a PNG
/// picture, not a run's folder: `sluice predict RUN a.png` classifies it".
Error wrong_kind(std::string_view tag, const std::string& place, FileKind kind,
                 std::string_view wanted);

}  // namespace sluice

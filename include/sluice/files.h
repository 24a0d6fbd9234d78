#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#pragma GCC visibility push(default)

namespace sluice {

// Error messages start with `tag`: the part of the program that uses the file.

/// Writes a whole file or nothing: the file has another name until it is flushed to the disk.
/// Throws Error with path and reason: user if the place is wrong (no such folder, no permission, a
/// folder or a device of that name), else machine.
void write_file(const std::filesystem::path& path, std::string_view bytes);

/// Throws Error as write_file() does if the file cannot be written. Leaves no file.
void require_writable(const std::filesystem::path& path);

/// Whether the path is a folder; also false if the system cannot tell.
bool is_folder(const std::filesystem::path& path);

/// Lists a folder's entries, sorted by name, without hidden ones. Throws Error (machine).
std::vector<std::filesystem::path> list_folder(const std::filesystem::path& folder,
                                               std::string_view tag);

/// Kind of a file, identified by its first bytes and not by its name.
struct FileKind {
  enum class Of {
    unknown,
    sluice,       ///< written by write_model()
    safetensors,  ///< written by another program
    keras,        ///< .keras, or HDF5
    onnx,
    pytorch,
    model,          ///< written by another program
    picture,        ///< of a format that read_image() reads
    other_picture,  ///< of another format, or a video
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

/// Identifies a file. Throws Error: user if the file is missing, not a regular file or not
/// readable; machine if reading fails.
FileKind kind_of_file(const std::filesystem::path& file, std::string_view tag);

}  // namespace sluice

#pragma GCC visibility pop

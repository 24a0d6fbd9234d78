#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

namespace [[gnu::visibility("default")]] sluice {

// Files as Sluice writes and takes them. A `tag` is what messages start with: who wanted the file.

/// Writes a whole file or nothing: under another name until it is flushed to the disk. Throws Error
/// naming path and reason: user where the place is wrong (no such folder, no permission, a folder
/// or a device of that name), else machine.
void write_file(const std::filesystem::path& path, std::string_view bytes);

/// Throws Error as write_file() does where nothing can be written. Leaves nothing there.
void require_writable(const std::filesystem::path& path);

/// Whether there is a folder; a path that cannot be asked about is none.
bool is_folder(const std::filesystem::path& path);

/// What a folder holds, sorted by name, without hidden entries. Throws Error (machine).
std::vector<std::filesystem::path> list_folder(const std::filesystem::path& folder,
                                               std::string_view tag);

/// What a file is, told by its first bytes and not by its name.
struct FileKind {
  enum class Of {
    unknown,
    sluice,       ///< a model that write_model() wrote
    safetensors,  ///< of another program
    keras,        ///< .keras, or HDF5
    onnx,
    pytorch,
    model,    ///< of another program
    picture,  ///< PNG or JPEG
    other_picture,
    archive,
    experiment,  ///< TOML
    document,    ///< JSON, HTML, PDF
    text,
    pointer,  ///< of Git LFS, in place of the file
    empty,
  };

  Of of = Of::unknown;
  const char* words = "";  ///< "a Keras model", for messages; empty if unknown

  bool known() const { return of != Of::unknown; }
};

/// Throws Error: user if there is no such file, it is not a regular one or may not be read; machine
/// if reading fails.
FileKind kind_of_file(const std::filesystem::path& file, std::string_view tag);

}  // namespace sluice

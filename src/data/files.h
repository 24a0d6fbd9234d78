#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace sluice {

/// What a folder holds, sorted by name, without hidden entries. Throws Error (machine).
std::vector<std::filesystem::path> list_folder(const std::filesystem::path& folder,
                                               const std::string& tag);

/// Whether there is a folder; a path that cannot be asked about is none.
bool is_folder(const std::filesystem::path& path);

/// The size of a regular file. Throws Error: user if it is none, machine if it cannot be asked.
std::uintmax_t size_of_file(const std::filesystem::path& path, const std::string& tag);

/// A whole file. Its size is held against `limit` before memory is taken. Throws Error.
std::vector<std::uint8_t> read_file(const std::filesystem::path& path, const std::string& tag,
                                    std::uintmax_t limit);

/// A file being written, every call checked: a full disk is an Error (machine), never a short file
/// that passes for a whole one. Closed, and not synced, by the destructor.
class OutputFile {
 public:
  enum class Mode {
    fresh,    ///< must not exist yet
    replace,  ///< an old one is emptied
    append,
  };

  OutputFile(std::filesystem::path path, Mode mode, std::string tag);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::span<const std::uint8_t> bytes);
  /// Waits until the bytes are on the disk.
  void sync();

 private:
  std::filesystem::path path_;
  std::string tag_;
  int descriptor_;
};

/// Waits until a folder's own entries are on the disk. Throws Error (machine).
void sync_folder(const std::filesystem::path& folder, const std::string& tag);

/// Renames, over an old file if there is one. Throws Error (machine).
void rename_file(const std::filesystem::path& from, const std::filesystem::path& to,
                 const std::string& tag);

}  // namespace sluice

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/descriptor.h"
#include "sluice/files.h"

namespace sluice {

/// Creates a folder in an existing one; false if the name is taken, so that exactly one of two
/// programs gets true. Throws Error as write_file() does. Messages name `shown` if the folder is
/// renamed later.
bool make_folder(const std::filesystem::path& path, const std::filesystem::path& shown = {});

/// Waits until a folder's own entries, such as a new name, are on the disk. Throws Error (machine).
void sync_folder(const std::filesystem::path& folder, std::string_view tag);

/// Renames a file and replaces an old one. Throws Error (machine).
void rename_file(const std::filesystem::path& from, const std::filesystem::path& to,
                 std::string_view tag);

/// Returns the size of a regular file. Throws Error as read_file() does.
std::uintmax_t size_of_file(const std::filesystem::path& path, std::string_view tag);

/// Reads a whole file, which must be regular: reading a pipe or a device may never end. Throws
/// Error: user if the file is missing, of another kind, not readable or larger than `max_bytes`;
/// machine if reading fails.
std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes,
                      std::string_view tag = "file");

/// Reads the first bytes of a file, `most` at most. Throws Error as read_file() does.
std::string read_beginning(const std::filesystem::path& path, std::size_t most,
                           std::string_view tag = "file");

/// A new file beside its final place; the destructor deletes it unless keep() was called. An old
/// file stays until then, so a crash leaves either the old or the new file whole. Throws Error as
/// write_file() does.
class PendingFile {
 public:
  explicit PendingFile(const std::filesystem::path& target, std::string_view tag = "file");
  ~PendingFile();

  void write(std::string_view bytes) { write(std::vector<std::string_view>{bytes}); }
  /// Writes the parts in order. If the disk is full, the Error has the size of all of them.
  void write(const std::vector<std::string_view>& parts);
  /// Descriptor for other ways to read and write.
  int descriptor() const { return descriptor_.get(); }
  /// Flushes the file to the disk and renames it to its final name.
  void keep();

 private:
  int open();
  [[noreturn]] void fail() const;

  std::filesystem::path target_;
  std::string tag_;
  std::filesystem::path path_;
  Descriptor descriptor_;
  std::size_t size_ = 0;
  bool kept_ = false;
};

/// Whether a file is a PendingFile that a killed program left.
bool is_pending(const std::filesystem::path& path);

/// A file written in place, with every call checked: a full disk is an Error (machine), never a
/// truncated file. The destructor does not sync.
class OutputFile {
 public:
  enum class Mode {
    fresh,    ///< must not exist yet
    replace,  ///< an old one is emptied
    append,
  };

  OutputFile(std::filesystem::path path, Mode mode, std::string_view tag);

  void write(std::string_view bytes);
  /// Waits until the bytes are on the disk.
  void sync();

 private:
  std::filesystem::path path_;
  std::string tag_;
  Descriptor descriptor_;
};

}  // namespace sluice

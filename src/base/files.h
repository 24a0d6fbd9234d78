#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/descriptor.h"
#include "sluice/files.h"

namespace sluice {

/// Makes a folder in one that exists; false if the name is taken, so that of two programs exactly
/// one gets true. Throws Error as write_file() does.
/// Messages name `shown` where the folder gets another name later.
bool make_folder(const std::filesystem::path& path, const std::filesystem::path& shown = {});

/// Waits until a folder's own entries, such as a new name, are on the disk. Throws Error (machine).
void sync_folder(const std::filesystem::path& folder, std::string_view tag);

/// Renames, over an old file if there is one. Throws Error (machine).
void rename_file(const std::filesystem::path& from, const std::filesystem::path& to,
                 std::string_view tag);

/// The size of a regular file. Throws Error as read_file() does.
std::uintmax_t size_of_file(const std::filesystem::path& path, std::string_view tag);

/// Reads a whole file. Only a regular file is opened: reading a pipe or a device may never end.
/// Throws Error: user if there is none, it is of another kind, may not be read or has more than
/// `max_bytes`; machine if reading fails.
std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes,
                      std::string_view tag = "file");

/// Reads the first bytes of a file, `most` at most. Throws Error as read_file() does.
std::string read_beginning(const std::filesystem::path& path, std::size_t most,
                           std::string_view tag = "file");

/// A new file beside its final place, deleted again unless it is kept. What has the final name
/// stays until then, and a crash leaves one of the two whole. Throws Error as write_file() does.
class PendingFile {
 public:
  explicit PendingFile(const std::filesystem::path& target, std::string_view tag = "file");
  ~PendingFile();

  void write(std::string_view bytes) { write(std::vector<std::string_view>{bytes}); }
  /// One after another. Where the disk is full, the error names the room that all of them need.
  void write(const std::vector<std::string_view>& parts);
  /// For reading and writing by other means.
  int descriptor() const { return descriptor_.get(); }
  /// Flushes it to the disk and gives it its name in one step.
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

/// Whether a file is one, left over by a program that was killed.
bool is_pending(const std::filesystem::path& path);

/// A file being written in place, every call checked: a full disk is an Error (machine), never a
/// short file that passes for a whole one. Not synced by the destructor.
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

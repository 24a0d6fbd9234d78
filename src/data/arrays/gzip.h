#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace sluice {

/// Most bytes that deflate makes of one byte.
constexpr std::uint64_t kMostInflation = 1032;

/// Reads a gzip file in parts; a file that is not compressed is read as it is. Throws Error with
/// the file's name: user if it is missing or damaged, machine if the disk fails.
class GzipFile {
 public:
  explicit GzipFile(const std::filesystem::path& path);
  ~GzipFile();
  GzipFile(const GzipFile&) = delete;
  GzipFile& operator=(const GzipFile&) = delete;

  /// Returns the number of bytes read: fewer than asked for only at the end.
  std::size_t read(std::span<char> bytes);
  /// Returns the next `count` bytes. Refuses a count that the file's size does not allow before it
  /// allocates memory, and a file that ends before.
  std::string take(std::uint64_t count);
  /// Skips `count` bytes.
  void skip(std::uint64_t count);
  bool at_end();

 private:
  [[noreturn]] void refuse_short() const;

  std::filesystem::path path_;
  std::uint64_t most_bytes_;  ///< that the file can have uncompressed
  void* file_;                ///< gzFile
};

/// Inflates a raw stream of deflate, whose size is `size`. Throws Error (user) with `name` if it is
/// damaged or has another size, before it allocates more than the stream can have.
std::string inflate_raw(std::string_view stream, std::uint64_t size, const std::string& name);

}  // namespace sluice

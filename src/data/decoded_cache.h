#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/files.h"
#include "data/folder_files.h"
#include "sluice/dataset.h"

namespace sluice {

// Pictures are decoded and resized once: decode_files() keeps the images of each list of files in a
// file of the cache folder, `decoded/<key>`, and every verb reads that. The file has the pixels of
// all images, a checksum of each (8 bytes), lines "<row> <fault>" for files that are broken, and
// the SHA-256 of the checksums and the lines.

/// What identifies decoded images, and their number.
struct DecodedKey {
  std::string digest;  ///< of all that the pixels depend on
  std::size_t images = 0;
  std::size_t image_bytes = 0;
};

/// Returns the key of files that are read with these options: it has each file's path, size and
/// time of change, so that a changed file is decoded again.
DecodedKey decoded_key(const std::vector<ImageFile>& files, const DataOptions& options);

/// Returns the size of all files; 0 for those that are missing.
std::uint64_t bytes_of(const std::vector<ImageFile>& files);

/// Returns the folder of decoded images, which this makes; empty if there is no place for it.
std::filesystem::path decoded_folder();

/// Decoded images in a file, which are read one by one. May be used by several threads.
class DecodedImages {
 public:
  /// Opens the file of a key. Returns null if there is none, or if it is damaged.
  static std::shared_ptr<DecodedImages> open(const std::filesystem::path& folder,
                                             const DecodedKey& key);

  /// For every file: empty, or why it is broken.
  const std::vector<std::string>& faults() const { return faults_; }
  /// Leaves out the rows that are not listed; the others get new numbers.
  void select(std::vector<std::size_t> rows) { rows_ = std::move(rows); }
  /// quick_sum() of an image's pixels, without reading them.
  std::uint64_t sum(std::size_t row) const { return sums_[rows_[row]]; }
  /// Reads an image into `to`. Throws Error (machine) if the file is damaged.
  void read(std::size_t row, std::span<std::uint8_t> to) const;

 private:
  DecodedImages(std::filesystem::path path, const DecodedKey& key);
  bool read_end(const DecodedKey& key);
  bool read_at(std::uint64_t offset, std::span<std::uint8_t> to) const;

  std::filesystem::path path_;
  Descriptor descriptor_;
  std::size_t image_bytes_;
  std::vector<std::uint64_t> sums_;
  std::vector<std::string> faults_;
  std::vector<std::size_t> rows_;
};

/// Writes the file of a key under a temporary name. Throws Error as PendingFile does.
class DecodedWriter {
 public:
  DecodedWriter(const std::filesystem::path& folder, const DecodedKey& key);

  /// May be called from several threads for different rows.
  void put(std::size_t row, std::span<const std::uint8_t> pixels);
  /// Completes the file and gives it its name.
  void keep(const std::vector<std::string>& faults);

 private:
  DecodedKey key_;
  std::filesystem::path path_;
  std::vector<std::uint64_t> sums_;
  PendingFile file_;
};

/// Deletes the files of the folder that were not used for longest, until all have at most `most`
/// bytes; the newest stays. Also deletes what a killed program left. Ignores what cannot be
/// deleted.
void limit_decoded(const std::filesystem::path& folder, std::uint64_t most);

}  // namespace sluice

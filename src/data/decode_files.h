#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/machine.h"
#include "data/decoded_cache.h"
#include "data/folder_files.h"
#include "sluice/dataset.h"

namespace sluice {

/// Images of one half of a folder, as read.
struct DecodedFiles {
  std::vector<ImageFile> files;
  std::vector<std::uint8_t> pixels;  ///< for every file
  std::vector<std::string>
      faults;   ///< for every file: "is a HEIC picture"; empty if the file is whole
  Shape shape;  ///< of each image
  std::shared_ptr<DecodedImages> stored;  ///< has the pixels, if they are not in memory
};

/// Where decoded images go, in bytes.
struct DecodedLimits {
  /// More than this stays on the disk, where each image is read when it is needed.
  std::uint64_t in_memory = usable_memory_bytes() / 4;
  /// Files that are smaller in all are decoded again each time.
  std::uint64_t worth_keeping = std::uint64_t{4} << 20;
  std::uint64_t on_disk = std::uint64_t{20} << 30;  ///< of all sets of images
};

/// Returns every file as an image in the shape of the options: as kept from an earlier time, or
/// decoded on all threads and kept (see decoded_cache.h). Continues after a broken file, so that
/// all of them can be counted. Throws Error (machine), and exceptions of the events.
DecodedFiles decode_files(std::vector<ImageFile> files, const DataOptions& options,
                          const DataEvents& events, DecodedLimits limits = {});

/// Lists the broken files of all parts, by fault: "2 of 64 images cannot be read: a is empty; ...";
/// empty if there are none. Names are relative to `folder`.
std::string broken_in_words(const std::vector<const DecodedFiles*>& parts,
                            const std::filesystem::path& folder);

std::size_t count_broken(const DecodedFiles& decoded);

/// Reports each broken file of all parts to DataEvents::problem, sorted by name within a part.
void report_broken(const std::vector<const DecodedFiles*>& parts,
                   const std::filesystem::path& folder, const DataEvents& events);

/// Returns the images that are whole, with their file names relative to `folder`.
LabelledImages whole_images(DecodedFiles decoded, const std::filesystem::path& folder);

}  // namespace sluice

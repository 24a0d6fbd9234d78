#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/folder_files.h"
#include "sluice/dataset.h"

namespace sluice {

/// The images of one half of a folder, as they were read.
struct DecodedFiles {
  std::vector<ImageFile> files;
  std::vector<std::uint8_t> pixels;  ///< of every file
  std::vector<std::string> faults;   ///< of every file: "is WebP"; empty for one that was read
};

/// Reads every file, resized to 32x32, on all threads. Tries all of them, so that the broken ones
/// can be counted. Throws Error (machine), and what an event throws.
DecodedFiles decode_files(std::vector<ImageFile> files, const DataEvents& events);

/// The broken files of all parts, by fault: "2 of 64 images cannot be read: a is empty; ...";
/// empty if there are none. Names are relative to `folder`.
std::string broken_in_words(const std::vector<const DecodedFiles*>& parts,
                            const std::filesystem::path& folder);

/// How many files are broken.
std::size_t count_broken(const DecodedFiles& decoded);

/// The images that are whole, with their files' names relative to `folder`.
LabelledImages whole_images(DecodedFiles decoded, const std::filesystem::path& folder);

}  // namespace sluice

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/folder_files.h"
#include "sluice/dataset.h"

namespace sluice {

/// Images of one half of a folder, as read.
struct DecodedFiles {
  std::vector<ImageFile> files;
  std::vector<std::uint8_t> pixels;  ///< for every file
  std::vector<std::string> faults;   ///< for every file: "is a HEIC picture"; empty if the file is whole
  Shape shape;                       ///< of each image
};

/// Reads every file, in the shape of the options, on all threads. Continues after a broken file, so
/// that all of them can be counted. Throws Error (machine), and exceptions of the events.
DecodedFiles decode_files(std::vector<ImageFile> files, const DataOptions& options,
                          const DataEvents& events);

/// Lists the broken files of all parts, by fault: "2 of 64 images cannot be read: a is empty; ...";
/// empty if there are none. Names are relative to `folder`.
std::string broken_in_words(const std::vector<const DecodedFiles*>& parts,
                            const std::filesystem::path& folder);

std::size_t count_broken(const DecodedFiles& decoded);

/// Returns the images that are whole, with their file names relative to `folder`.
LabelledImages whole_images(DecodedFiles decoded, const std::filesystem::path& folder);

}  // namespace sluice

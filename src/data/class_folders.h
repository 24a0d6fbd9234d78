#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sluice {

/// Whether a file or folder is what systems and archivers leave behind: Thumbs.db, __MACOSX,
/// @eaDir, .DS_Store and other hidden ones. It is passed over without a word.
bool is_litter(const std::filesystem::path& path);

/// What a folder holds but litter, sorted. Throws Error.
std::vector<std::filesystem::path> list_without_litter(const std::filesystem::path& folder);

/// The folder DIR/`half`, "train" or "test". Throws Error (user) where it is missing, saying what
/// DIR has and what of it was probably meant.
std::filesystem::path existing_half(const std::filesystem::path& folder, const std::string& half);

/// What to do with a folder that has neither half: what it has, and what was probably meant.
std::string mend_of_missing_halves(const std::filesystem::path& folder);

/// The names of the folders in a half, sorted.
std::vector<std::string> class_folders(const std::filesystem::path& half);

/// Throws Error (user) for a folder of the half that is none of the classes, naming it and the
/// class that was probably meant.
void require_known_classes(const std::filesystem::path& half,
                           const std::vector<std::string>& class_names);

/// Names that look alike, such as "Dog and dog"; empty if there are none.
std::string similar_classes(const std::vector<std::string>& class_names);

}  // namespace sluice

#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sluice {

/// Whether a system or archiver left this file or folder: Thumbs.db, __MACOSX, @eaDir, .DS_Store
/// and other hidden ones. Readers skip it without a message.
bool is_litter(const std::filesystem::path& path);

/// Lists a folder without litter, sorted. Throws Error.
std::vector<std::filesystem::path> list_without_litter(const std::filesystem::path& folder);

/// Returns the folder DIR/`half`, "train" or "test". Throws Error (user) if it is missing, with
/// what DIR has and which folder was probably meant.
std::filesystem::path existing_half(const std::filesystem::path& folder, const std::string& half);

/// Returns how to mend a folder without halves: what it has, and what was probably meant.
std::string mend_of_missing_halves(const std::filesystem::path& folder);

/// Lists the names of the folders in a half, sorted.
std::vector<std::string> class_folders(const std::filesystem::path& half);

/// Throws Error (user) if a folder of the half is not one of the classes, with its name and the
/// class that was probably meant.
void require_known_classes(const std::filesystem::path& half,
                           const std::vector<std::string>& class_names);

/// Lists similar names, such as "Dog and dog"; empty if there are none.
std::string similar_classes(const std::vector<std::string>& class_names);

}  // namespace sluice

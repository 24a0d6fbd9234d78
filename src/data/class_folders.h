#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sluice {

/// Whether a system or archiver left this file or folder: Thumbs.db, __MACOSX, @eaDir, .DS_Store
/// and other hidden ones. Readers skip it without a message.
bool is_litter(const std::filesystem::path& path);

/// Lists a folder without litter, sorted. Throws Error.
std::vector<std::filesystem::path> list_without_litter(const std::filesystem::path& folder);

/// Folders of a data set that have a folder for each class.
struct FolderLayout {
  std::filesystem::path folder;      ///< that has the halves or the classes
  std::filesystem::path train;       ///< empty if there is a test half only
  std::filesystem::path validation;  ///< empty if there is none
  std::filesystem::path test;        ///< empty if there is none
};

/// Finds the halves of a data set in a folder, by names such as Train, valid or testing, or one
/// folder of two or more classes, or either of them below folders that have nothing else. Returns
/// nothing if there is neither. Throws Error (user) for two folders that both may be a half.
std::optional<FolderLayout> find_layout(const std::filesystem::path& folder);

/// Returns what a folder without a layout has, and how it would become one.
std::string nearest_layout(const std::filesystem::path& folder);

/// Lists the names of the folders in a half, sorted.
std::vector<std::string> class_folders(const std::filesystem::path& half);

/// Describes each folder of a half that has files and is not one of the classes, with the class
/// that was probably meant. Such a folder is an error and not left out: it is mostly a class under
/// another name, and its images would count neither as right nor as wrong. `training` is the half
/// that could have the class too; empty if the classes are fixed.
std::vector<std::string> unknown_classes(const std::filesystem::path& half,
                                         const std::vector<std::string>& class_names,
                                         const std::filesystem::path& training = {});

/// Lists files and folders in and below a folder that are litter.
std::vector<std::filesystem::path> list_litter(const std::filesystem::path& folder);

/// Lists similar names, such as "Dog and dog"; empty if there are none.
std::string similar_classes(const std::vector<std::string>& class_names);

}  // namespace sluice

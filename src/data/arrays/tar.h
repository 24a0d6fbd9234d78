#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

namespace sluice {

/// Returns the files of a .tar or .tar.gz archive whose plain names are wanted, by plain name: a
/// path of the archive leads nowhere. Nothing is unpacked to the disk. Throws Error (user), with
/// the archive's name, if it is damaged, a wanted file has more than 256 MB, all files have
/// more than 2 GB, or a name is there twice.
std::map<std::string, std::string> read_tar(
    const std::filesystem::path& archive,
    const std::function<bool(const std::string& name)>& wanted);

}  // namespace sluice

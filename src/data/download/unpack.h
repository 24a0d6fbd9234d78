#pragma once

#include <filesystem>

namespace sluice {

/// Unpacks CIFAR-10's files from a .tar.gz into `folder`, which must be empty, and syncs them. Only
/// regular files with the official names are extracted, under their plain names: no path of the
/// archive can lead outside the folder. Throws Error (machine) for a broken or incomplete archive
/// or a full disk.
void unpack_cifar(const std::filesystem::path& archive, const std::filesystem::path& folder);

}  // namespace sluice

#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "data/subset.h"
#include "sluice/dataset.h"

namespace sluice {

/// Data that stands in arrays, not in files of pictures: found, and not yet read.
struct ArraySource {
  std::string name;      ///< Dataset::name
  std::string in_words;  ///< "CIFAR-10 in Python's form"
  std::filesystem::path place;
  /// Returns the class names without reading an image.
  std::function<std::vector<std::string>()> class_names;
  /// Reads all images; without Halves::both, `train` and `validation` may stay empty. Sets images
  /// and nothing else.
  std::function<Dataset(Halves)> read;
};

// Each of these returns nothing if a place does not have its files. `place` is a folder, one of the
// files or an archive.

/// Finds CIFAR-10 or CIFAR-100 (`classes`: 10 or 100) in Python's or the binary form, as a folder,
/// in the folder that the official archive has, or as the archive. CIFAR-10's binary folder is
/// find_cifar()'s.
std::optional<ArraySource> find_cifar_arrays(const std::filesystem::path& place, int classes);
/// Finds MNIST's four files of format idx, also as .gz.
std::optional<ArraySource> find_idx(const std::filesystem::path& place);
/// Finds an .npz file, or .npy files, with arrays named as Keras does (x_train, y_train, x_test,
/// y_test), as MedMNIST does (train_images, train_labels, val_images, ...), or x and y.
std::optional<ArraySource> find_numpy(const std::filesystem::path& place);

/// Class names of CIFAR-100 and Fashion-MNIST, by label, and "0", "1", "2"... for others.
const std::vector<std::string>& cifar100_class_names();
const std::vector<std::string>& fashion_class_names();
std::vector<std::string> number_names(std::size_t count);

}  // namespace sluice

#include <algorithm>

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"
#include "data/arrays/array_source.h"
#include "data/arrays/idx.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

/// Files of the two halves; MNIST calls its test half t10k.
struct IdxFiles {
  fs::path train_images, train_labels, test_images, test_labels;

  bool complete() const { return !test_images.empty() && !test_labels.empty(); }
};

/// Takes a file by its name, such as "train-images-idx3-ubyte.gz" or "t10k-labels.idx1-ubyte".
void take_by_name(const fs::path& path, IdxFiles& files) {
  const std::string name = folded(path.filename().string());
  const auto has = [&](const char* word) { return name.find(word) != std::string::npos; };
  const bool is_images = has("images") && has("idx3");
  const bool is_labels = has("labels") && has("idx1");
  if (!is_images && !is_labels) return;
  const bool is_test = has("t10k") || has("test");
  if (!is_test && !has("train")) return;
  fs::path& file = is_test ? (is_images ? files.test_images : files.test_labels)
                           : (is_images ? files.train_images : files.train_labels);
  // Of a file and its .gz, either; of two data sets, none can be chosen.
  if (!file.empty() && file.stem() != path.stem() && file.stem() != path.filename() &&
      file.filename() != path.stem()) {
    throw user_error("data", "{} has {} and {}: leave the files of one data set in it",
                     path_text(path.parent_path()), path_text(file.filename()),
                     path_text(path.filename()));
  }
  file = path;
}

LabelledImages read_half(const fs::path& images, const fs::path& labels) {
  LabelledImages half = read_idx_images(images);
  half.labels = read_idx_labels(labels);
  const auto bytes = static_cast<std::size_t>(element_count(half.shape));
  if (half.pixels.size() != half.labels.size() * bytes) {
    throw user_error("data", "{} has {} images, but {} has {} labels: copy both again",
                     path_text(images), half.pixels.size() / bytes, path_text(labels),
                     half.labels.size());
  }
  return half;
}

}  // namespace

std::optional<ArraySource> find_idx(const fs::path& place) {
  const fs::path folder = is_folder(place) ? place : place.parent_path();
  IdxFiles files;
  if (!is_folder(folder)) return {};
  if (!is_folder(place)) {
    take_by_name(place, files);
    if (files.test_images.empty() && files.test_labels.empty() && files.train_images.empty() &&
        files.train_labels.empty()) {
      return {};
    }
  }
  for (const fs::path& path : list_folder(folder, "data")) {
    if (!is_folder(path)) take_by_name(path, files);
  }
  if (!files.complete() && files.train_images.empty()) return {};
  const auto require = [folder](const fs::path& file, const char* what) {
    if (file.empty()) {
      throw user_error("data", "{} lacks {}: copy all four files of the data set",
                       path_text(folder), what);
    }
  };
  const auto class_names = [files, require] {
    require(files.train_labels, "train-labels-idx1-ubyte");
    const std::vector<int> labels = read_idx_labels(files.train_labels);
    return number_names(labels.empty() ? 0 : std::size_t{1} + *std::ranges::max_element(labels));
  };
  return ArraySource{folder.filename().string(), "idx files", folder, class_names,
                     [files, require](Halves halves) {
                       require(files.test_images, "t10k-images-idx3-ubyte");
                       require(files.test_labels, "t10k-labels-idx1-ubyte");
                       Dataset data;
                       if (halves == Halves::both) {
                         require(files.train_images, "train-images-idx3-ubyte");
                         require(files.train_labels, "train-labels-idx1-ubyte");
                         data.train = read_half(files.train_images, files.train_labels);
                       }
                       data.test = read_half(files.test_images, files.test_labels);
                       return data;
                     }};
}

}  // namespace sluice

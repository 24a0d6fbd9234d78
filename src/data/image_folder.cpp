#include "data/image_folder.h"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <utility>

#include "base/fail.h"
#include "base/files.h"
#include "base/random.h"
#include "data/subset.h"
#include "sluice/dataset.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

constexpr int kSide = 32;

struct LabelledFile {
  fs::path path;
  int label;
};

std::vector<std::string> subfolders(const fs::path& folder) {
  if (!is_folder(folder)) {
    throw user_error("data", "{} is missing: an image folder has train/<class>/ and test/<class>/",
                     folder.string());
  }
  std::vector<std::string> names;
  for (const fs::path& path : list_folder(folder, "data")) {
    if (is_folder(path)) names.push_back(path.filename().string());
  }
  return names;
}

bool is_image_name(const fs::path& path) {
  std::string ending = path.extension().string();
  for (char& letter : ending) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

void check_classes(const fs::path& half, const std::vector<std::string>& class_names) {
  const std::vector<std::string> found = subfolders(half);
  const auto has = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const std::string& name : class_names) {
    if (!has(found, name)) {
      throw user_error("data", "{} has no folder '{}': add one with images of this class",
                       half.string(), name);
    }
  }
  for (const std::string& name : found) {
    if (!has(class_names, name)) {
      throw user_error("data", "{} has a folder '{}' that is not one of the classes {}: remove it",
                       half.string(), name, fmt::to_string(fmt::join(class_names, ", ")));
    }
  }
}

std::vector<LabelledFile> list_images(const fs::path& half,
                                      const std::vector<std::string>& class_names) {
  check_classes(half, class_names);
  std::vector<LabelledFile> files;
  for (std::size_t label = 0; label < class_names.size(); ++label) {
    const fs::path folder = half / class_names[label];
    const std::size_t before = files.size();
    for (fs::path& path : list_folder(folder, "data")) {
      if (is_image_name(path)) files.push_back({std::move(path), static_cast<int>(label)});
    }
    if (files.size() == before) {
      throw user_error("data", "{} has no .jpg, .jpeg or .png file: add some, or remove the folder",
                       folder.string());
    }
  }
  return files;
}

void shuffle_in_place(std::vector<LabelledFile>& files) {
  const RandomStream random(0, Purpose::order, 0, 0);
  for (std::size_t left = files.size(); left > 1; --left) {
    const auto n = static_cast<std::uint32_t>(left);
    std::swap(files[left - 1], files[RandomStream::below(random.bits(n)[0], n)]);
  }
}

/// No exception may leave a parallel loop. Of several the one of the lowest row is thrown, so that
/// the message does not depend on the threads.
LabelledImages decode(const std::vector<LabelledFile>& files) {
  LabelledImages images;
  images.shape = {kSide, kSide, 3};
  const auto size = static_cast<std::size_t>(element_count(images.shape));
  images.pixels.resize(files.size() * size);
  const auto count = static_cast<std::ptrdiff_t>(files.size());
  std::ptrdiff_t first_failure = count;
  std::exception_ptr failure;
  // Dynamic, since photographs differ in size.
#pragma omp parallel for schedule(dynamic, 16)
  for (std::ptrdiff_t row = 0; row < count; ++row) {
    std::ptrdiff_t stop = 0;
#pragma omp atomic read
    stop = first_failure;
    if (row > stop) continue;
    try {
      const Image image = resized(read_image(files[row].path), kSide, kSide);
      std::copy(image.pixels.begin(), image.pixels.end(),
                images.pixels.begin() + row * static_cast<std::ptrdiff_t>(size));
    } catch (...) {
#pragma omp critical(sluice_decode_failure)
      if (row < first_failure) {
#pragma omp atomic write
        first_failure = row;
        failure = std::current_exception();
      }
    }
  }
  if (failure) std::rethrow_exception(failure);
  for (const LabelledFile& file : files) images.labels.push_back(file.label);
  return images;
}

std::vector<LabelledFile> choose(const fs::path& half, const std::vector<std::string>& class_names,
                                 int wanted, const std::string& key) {
  std::vector<LabelledFile> files = list_images(half, class_names);
  shuffle_in_place(files);
  files.resize(subset_size(wanted, files.size(), key, half.string()));
  return files;
}

}  // namespace

bool is_image_folder(const fs::path& folder) {
  return is_folder(folder / "train") || is_folder(folder / "test");
}

std::vector<std::string> list_image_classes(const fs::path& folder) {
  std::vector<std::string> names = subfolders(folder / "train");
  if (names.size() < 2) {
    throw user_error("data", "{} has {} class folders: put the images of each class in one",
                     (folder / "train").string(), names.size());
  }
  return names;
}

Dataset read_image_folder(const fs::path& folder, const std::vector<std::string>& class_names,
                          const DataOptions& options) {
  // Both lists before any decoding, which can take minutes.
  const auto train =
      choose(folder / "train", class_names, options.train_images, "data.train_images");
  const auto test = choose(folder / "test", class_names, options.test_images, "data.test_images");
  Dataset data;
  std::error_code ignored;
  data.name = fs::weakly_canonical(folder, ignored).filename().string();
  data.source = folder.string();
  data.class_names = class_names;
  data.train = decode(train);
  data.test = decode(test);
  return data;
}

}  // namespace sluice

#include <algorithm>
#include <array>
#include <map>
#include <memory>

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"
#include "data/arrays/array_source.h"
#include "data/arrays/npy.h"
#include "data/arrays/zip.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMostArrayBytes = std::uint64_t{8} << 30;

/// Arrays of a data set by their name without ".npy".
struct Arrays {
  std::string place;
  std::map<std::string, std::function<std::string()>> read;

  bool has(const std::string& name) const { return read.contains(name); }
};

/// Names of the images and labels of one half; each half has several customs.
struct ArrayNames {
  const char* images;
  const char* labels;
};
constexpr std::array kTrainNames{ArrayNames{"x_train", "y_train"},
                                 ArrayNames{"X_train", "y_train"},
                                 ArrayNames{"train_images", "train_labels"},
                                 ArrayNames{"x", "y"},
                                 ArrayNames{"X", "y"},
                                 ArrayNames{"images", "labels"}};
constexpr std::array kValidationNames{ArrayNames{"x_val", "y_val"}, ArrayNames{"X_val", "y_val"},
                                      ArrayNames{"x_valid", "y_valid"},
                                      ArrayNames{"val_images", "val_labels"}};
constexpr std::array kTestNames{ArrayNames{"x_test", "y_test"}, ArrayNames{"X_test", "y_test"},
                                ArrayNames{"test_images", "test_labels"}};

template <class Names>
const ArrayNames* find_names(const Names& names, const Arrays& arrays) {
  const auto found = std::ranges::find_if(names, [&](const ArrayNames& each) {
    return arrays.has(each.images) && arrays.has(each.labels);
  });
  return found == names.end() ? nullptr : &*found;
}

std::string name_in(const Arrays& arrays, const char* name) {
  return fmt::format("{} in {}", name, arrays.place);
}

/// Returns an array's pixel range, or nothing for no array.
std::optional<PixelRange> range_in(const Arrays& arrays, const ArrayNames* names) {
  if (names == nullptr) return {};
  const std::string bytes = arrays.read.at(names->images)();
  return range_of(parse_npy(bytes, name_in(arrays, names->images)));
}

LabelledImages read_arrays(const Arrays& arrays, const ArrayNames* names, PixelRange range) {
  if (names == nullptr) return {};
  LabelledImages half;
  {
    const std::string bytes = arrays.read.at(names->images)();
    half = images_of(parse_npy(bytes, name_in(arrays, names->images)), range);
  }
  const std::string labels = arrays.read.at(names->labels)();
  half.labels = labels_of(parse_npy(labels, name_in(arrays, names->labels)));
  const auto size = static_cast<std::size_t>(element_count(half.shape));
  if (half.labels.size() * size != half.pixels.size()) {
    throw user_error("data", "{} has {} images, but {} has {} labels: save one for each",
                     name_in(arrays, names->images), half.pixels.size() / size, names->labels,
                     half.labels.size());
  }
  return half;
}

std::vector<std::string> label_names(const Arrays& arrays, const ArrayNames& names) {
  const std::string bytes = arrays.read.at(names.labels)();
  const std::vector<int> labels = labels_of(parse_npy(bytes, name_in(arrays, names.labels)));
  return number_names(labels.empty() ? 0 : std::size_t{1} + *std::ranges::max_element(labels));
}

Dataset read_numpy(const Arrays& arrays, Halves halves) {
  const ArrayNames* train = find_names(kTrainNames, arrays);
  const ArrayNames* validation = find_names(kValidationNames, arrays);
  const ArrayNames* test = find_names(kTestNames, arrays);
  // Images of 0 to 1 in one half and of bytes in the other are not of one data set. A half that is
  // all black fits both.
  std::optional<PixelRange> range;
  for (const ArrayNames* names : {train, test, validation}) {
    const std::optional<PixelRange> its = range_in(arrays, names);
    if (its && (!range || *its == PixelRange::bytes)) range = its;
  }
  Dataset data;
  if (halves == Halves::both || test == nullptr) {
    data.train = read_arrays(arrays, train, *range);
    data.validation = read_arrays(arrays, validation, *range);
  }
  data.test = read_arrays(arrays, test, *range);
  return data;
}

Arrays arrays_of_zip(const fs::path& place) {
  const auto zip = std::make_shared<const ZipFile>(place);
  Arrays arrays{path_text(place), {}};
  for (const std::string& name : zip->names()) {
    const std::string stem = name.ends_with(".npy") ? name.substr(0, name.size() - 4) : name;
    arrays.read[stem] = [zip, name] { return zip->read(name); };
  }
  return arrays;
}

Arrays arrays_of_folder(const fs::path& folder) {
  Arrays arrays{path_text(folder), {}};
  for (const fs::path& path : list_folder(folder, "data")) {
    if (path.extension() != ".npy") continue;
    arrays.read[path.stem().string()] = [path] { return read_file(path, kMostArrayBytes, "data"); };
  }
  return arrays;
}

}  // namespace

std::optional<ArraySource> find_numpy(const fs::path& place) {
  fs::path file = place;
  if (is_folder(place)) {
    std::vector<fs::path> archives = list_folder(place, "data");
    std::erase_if(archives, [](const fs::path& path) { return path.extension() != ".npz"; });
    file = archives.size() == 1 ? archives.front() : place;
  } else if (place.extension() == ".npy") {
    file = place.parent_path();  // the arrays of one data set are beside each other
  } else if (place.extension() != ".npz") {
    return {};
  }
  const Arrays arrays = is_folder(file) ? arrays_of_folder(file) : arrays_of_zip(file);
  if (arrays.read.empty()) return {};
  const ArrayNames* train = find_names(kTrainNames, arrays);
  const ArrayNames* test = find_names(kTestNames, arrays);
  const ArrayNames* names = train != nullptr ? train : test;
  if (names == nullptr) {
    std::vector<std::string> found;
    for (const auto& [name, ignored] : arrays.read) found.push_back(name);
    throw user_error("data",
                     "{} has the arrays {}: name them x_train, y_train, x_test and y_test (or x "
                     "and y, of which data.test_split become the test half)",
                     arrays.place, one_line(fmt::to_string(fmt::join(found, ", ")), 200));
  }
  return ArraySource{file.stem().string(), "NumPy arrays", file,
                     [arrays, names] { return label_names(arrays, *names); },
                     [arrays](Halves halves) { return read_numpy(arrays, halves); }};
}

}  // namespace sluice

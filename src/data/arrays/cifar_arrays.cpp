#include "data/arrays/cifar_arrays.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"
#include "data/arrays/array_source.h"
#include "data/arrays/pickle.h"
#include "data/arrays/tar.h"
#include "data/cifar.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kPlaneBytes = 32 * 32;
constexpr std::size_t kImageBytes = 3 * kPlaneBytes;
constexpr std::uint64_t kMostFileBytes = std::uint64_t{256}
                                         << 20;  // official ones have up to 155 MB

void add_image(std::string_view planes, std::int64_t label, const std::string& name, int classes,
               LabelledImages& images) {
  if (label < 0 || label >= classes) {
    throw user_error("data", "{} has the label {}, above {}: is this CIFAR-{}?", name, label,
                     classes - 1, classes);
  }
  images.labels.push_back(static_cast<int>(label));
  const std::size_t at = images.pixels.size();
  images.pixels.resize(at + kImageBytes);
  for (std::size_t i = 0; i < kImageBytes; ++i) {
    images.pixels[at + i] = static_cast<std::uint8_t>(planes[i % 3 * kPlaneBytes + i / 3]);
  }
}

/// Files of a CIFAR data set in one form.
struct CifarForm {
  const char* in_words;
  int classes;
  const char* folder;   ///< of the official archive
  const char* archive;  ///< the official archive; Keras names its copy otherwise
  std::vector<std::string> train;
  std::string test;
  void (*add)(std::string_view, const std::string&, int, LabelledImages&);
};

const std::array<CifarForm, 4>& cifar_forms() {
  const auto batches = [](const char* ending) {
    std::vector<std::string> names;
    for (int i = 1; i <= 5; ++i) names.push_back(fmt::format("data_batch_{}{}", i, ending));
    return names;
  };
  static const std::array<CifarForm, 4> forms{
      CifarForm{"CIFAR-10 in Python's form", 10, "cifar-10-batches-py", "cifar-10-python",
                batches(""), "test_batch", add_python_batch},
      CifarForm{"CIFAR-10 in binary form", 10, "cifar-10-batches-bin", "cifar-10-binary",
                batches(".bin"), "test_batch.bin", add_binary_batch},
      CifarForm{"CIFAR-100 in Python's form",
                100,
                "cifar-100-python",
                "cifar-100-python",
                {"train"},
                "test",
                add_python_batch},
      CifarForm{"CIFAR-100 in binary form",
                100,
                "cifar-100-binary",
                "cifar-100-binary",
                {"train.bin"},
                "test.bin",
                add_binary_batch}};
  return forms;
}

bool is_part_of(const CifarForm& form, const std::string& name) {
  return name == form.test || std::ranges::find(form.train, name) != form.train.end();
}

/// Reads the halves by a function that returns the bytes of a file of the form.
template <class Bytes>
Dataset read_halves(const CifarForm& form, const fs::path& place, Halves halves,
                    const Bytes& bytes_of) {
  Dataset data;
  const auto add = [&](const std::string& file, LabelledImages& images) {
    form.add(bytes_of(file), path_text(place / file), form.classes, images);
  };
  if (halves == Halves::both) {
    for (const std::string& file : form.train) add(file, data.train);
  }
  add(form.test, data.test);
  return data;
}

const std::vector<std::string>& names_of(const CifarForm& form) {
  return form.classes == 10 ? cifar10_class_names() : cifar100_class_names();
}

ArraySource source_of(const CifarForm& form, const fs::path& place,
                      std::function<Dataset(Halves)> read) {
  return {fmt::format("CIFAR-{}", form.classes), form.in_words, place,
          [&form] { return names_of(form); }, std::move(read)};
}

bool is_regular(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

std::optional<ArraySource> find_form(const CifarForm& form, const fs::path& folder) {
  for (const fs::path& each : {folder, folder / form.folder}) {
    // CIFAR-100's files have the names of many things; its list of classes has not.
    const bool has_parts = is_regular(each / form.test) && is_regular(each / form.train.front());
    const bool is_python = form.add == add_python_batch;
    if (!has_parts || (form.classes == 100 && is_python && !is_regular(each / "meta"))) continue;
    return source_of(form, each, [&form, each](Halves halves) {
      return read_halves(form, each, halves, [&](const std::string& file) {
        return read_file(each / file, kMostFileBytes, "data");
      });
    });
  }
  return {};
}

/// Returns the form of an archive by its name: the official one, or that of Keras's copy.
const CifarForm* form_of_archive(const fs::path& archive) {
  const std::string name = archive.filename().string();
  for (const CifarForm& form : cifar_forms()) {
    for (const std::string stem : {form.archive, form.folder}) {
      for (const char* ending : {".tar.gz", ".tgz", ".tar", "-target_archive"}) {
        if (name == stem + ending) return &form;
      }
    }
  }
  return nullptr;
}

ArraySource open_archive(const CifarForm& form, const fs::path& archive) {
  return source_of(form, archive, [&form, archive](Halves halves) {
    const std::map<std::string, std::string> files =
        read_tar(archive, [&](const std::string& name) { return is_part_of(form, name); });
    return read_halves(form, archive, halves, [&](const std::string& file) -> std::string_view {
      const auto found = files.find(file);
      if (found != files.end()) return found->second;
      throw user_error("data", "{} lacks {}: is this {}?", path_text(archive), file, form.in_words);
    });
  });
}

}  // namespace

void add_python_batch(std::string_view bytes, const std::string& name, int classes,
                      LabelledImages& images) {
  const Pickle pickle(bytes, name);
  const PickleValue* data = pickle.find("data");
  const PickleValue* labels = pickle.find(classes == 10 ? "labels" : "fine_labels");
  if (data == nullptr || labels == nullptr) pickle.refuse("has no data or no labels");
  const std::vector<std::int64_t> numbers = pickle.numbers(*labels);
  const bool fits = data->kind == PickleValue::Kind::array && data->items.size() == 2 &&
                    pickle.at(data->items[0]).number == static_cast<std::int64_t>(numbers.size()) &&
                    pickle.at(data->items[1]).number == static_cast<std::int64_t>(kImageBytes);
  if (!fits) pickle.refuse("has no row of 3,072 bytes for each label");
  images.pixels.reserve(images.pixels.size() + data->bytes.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    add_image(data->bytes.substr(i * kImageBytes, kImageBytes), numbers[i], name, classes, images);
  }
}

void add_binary_batch(std::string_view records, const std::string& name, int classes,
                      LabelledImages& images) {
  const std::size_t labels = classes == 10 ? 1 : 2;  // the fine label is the last
  const std::size_t record = labels + kImageBytes;
  if (records.empty() || records.size() % record != 0) {
    throw user_error("data", "{} has {} bytes, not a multiple of {}: copy it again", name,
                     records.size(), record);
  }
  images.pixels.reserve(images.pixels.size() + records.size());
  for (; !records.empty(); records.remove_prefix(record)) {
    add_image(records.substr(labels, kImageBytes), static_cast<unsigned char>(records[labels - 1]),
              name, classes, images);
  }
}

std::optional<ArraySource> find_cifar_arrays(const fs::path& place, int classes) {
  if (!is_folder(place)) {
    const CifarForm* form = form_of_archive(place);
    if (form == nullptr || form->classes != classes || !is_regular(place)) return {};
    return open_archive(*form, place);
  }
  for (const CifarForm& form : cifar_forms()) {
    if (form.classes != classes) continue;
    if (std::optional<ArraySource> found = find_form(form, place)) return found;
    // Keras 3 unpacks into this folder.
    const fs::path unpacked = place / (std::string(form.folder) + "-target");
    if (std::optional<ArraySource> found = find_form(form, unpacked)) return found;
  }
  for (const fs::path& path : list_folder(place, "data")) {
    const CifarForm* form = form_of_archive(path);
    if (form != nullptr && form->classes == classes && is_regular(path)) {
      return open_archive(*form, path);
    }
  }
  return {};
}

}  // namespace sluice

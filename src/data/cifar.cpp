#include "data/cifar.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <sstream>

#include "base/fail.h"
#include "base/files.h"
#include "data/subset.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kPlane = 32 * 32;
constexpr std::size_t kPixels = 3 * kPlane;
constexpr std::size_t kRecord = 1 + kPixels;
constexpr int kCifarClasses = 10;
constexpr std::uintmax_t kMostRecords = 10'000'000;

/// Returns the number in data_batch_<number>.bin, or -1.
int batch_number(const std::string& name) {
  constexpr std::string_view kHead = "data_batch_";
  constexpr std::string_view kTail = ".bin";
  if (!name.starts_with(kHead) || !name.ends_with(kTail)) return -1;
  const char* first = name.data() + kHead.size();
  const char* last = name.data() + name.size() - kTail.size();
  int number = -1;
  const auto [end, error] = std::from_chars(first, last, number);
  return error == std::errc() && end == last ? number : -1;
}

std::size_t count_records(const fs::path& file) {
  const std::uintmax_t size = size_of_file(file, "cifar");
  if (size == 0) throw user_error("cifar", "{} is empty: copy it again", file.string());
  if (size % kRecord != 0) {
    throw user_error("cifar", "{} has {} bytes, not a multiple of {}: is this the binary version?",
                     file.string(), size, kRecord);
  }
  const std::uintmax_t records = size / kRecord;
  if (records > kMostRecords) {
    throw user_error("cifar", "{} has {} images, above {} million: is this CIFAR-10?",
                     file.string(), records, kMostRecords / 1'000'000);
  }
  return static_cast<std::size_t>(records);
}

/// Converts a record's planes to (height, width, channels).
void interleave(const std::uint8_t* planes, std::uint8_t* pixels) {
  for (std::size_t i = 0; i < kPlane; ++i) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      pixels[3 * i + channel] = planes[channel * kPlane + i];
    }
  }
}

/// Appends the first `count` records; `images.pixels` already has memory for them.
void read_records(const fs::path& path, std::size_t count, LabelledImages& images) {
  std::ifstream file(path, std::ios::binary);
  std::uint8_t record[kRecord];
  for (std::size_t i = 0; i < count; ++i) {
    if (!file.read(reinterpret_cast<char*>(record), kRecord)) {
      throw machine_error("cifar",
                          "cannot read record {} of {}: check its permissions and the disk", i,
                          path.string());
    }
    if (record[0] >= kCifarClasses) {
      throw user_error("cifar", "{}, record {} has the label {}, above {}: is this CIFAR-10?",
                       path.string(), i, record[0], kCifarClasses - 1);
    }
    interleave(record + 1, images.pixels.data() + images.size() * kPixels);
    images.labels.push_back(record[0]);
  }
}

void check_class_names(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return;
  constexpr std::uintmax_t kLimit = 1 << 16;
  if (const std::uintmax_t size = size_of_file(path, "cifar"); size > kLimit) {
    throw user_error("cifar", "{} has {} bytes, more than the {} that are read: is this CIFAR-10?",
                     path.string(), size, kLimit);
  }
  std::istringstream text(read_file(path, kLimit, "cifar"));
  // Splits at any white space: the official file ends with an empty line, a copy may have CRLF.
  std::vector<std::string> names;
  for (std::string name; text >> name;) names.push_back(name);
  const std::vector<std::string>& expected = cifar10_class_names();
  for (std::size_t label = 0; label < std::max(names.size(), expected.size()); ++label) {
    const std::string name = label < names.size() ? names[label] : "nothing";
    const std::string due = label < expected.size() ? expected[label] : "nothing";
    if (name != due) {
      throw user_error("cifar",
                       "{} has '{}' for label {} where CIFAR-10 has '{}': is this CIFAR-10?",
                       path.string(), name, label, due);
    }
  }
}

}  // namespace

std::optional<CifarFolder> find_cifar(const fs::path& folder) {
  for (const fs::path& place : {folder, folder / "cifar-10-batches-bin"}) {
    if (!is_folder(place)) continue;
    CifarFolder found{place, {}, {}};
    for (const fs::path& path : list_folder(place, "cifar")) {
      const std::string name = path.filename().string();
      if (batch_number(name) >= 0) found.train.push_back(path);
      if (name == "test_batch.bin") found.test = path;
    }
    if (found.train.empty() && found.test.empty()) continue;
    // Sorts by number: data_batch_10 comes after data_batch_2.
    std::sort(found.train.begin(), found.train.end(), [](const fs::path& a, const fs::path& b) {
      return batch_number(a.filename().string()) < batch_number(b.filename().string());
    });
    return found;
  }
  return std::nullopt;
}

LabelledImages read_cifar_files(const std::vector<fs::path>& files, int wanted,
                                const std::string& key) {
  std::vector<std::size_t> records;
  std::size_t available = 0;
  for (const fs::path& file : files) {
    records.push_back(count_records(file));
    available += records.back();
  }
  const std::string where =
      files.size() == 1 ? files.front().string() : files.front().parent_path().string();
  const std::size_t count = subset_size(wanted, available, key, where);

  require_memory_for_images(count * kPixels);
  LabelledImages images;
  images.pixels.resize(count * kPixels);
  images.labels.reserve(count);
  for (std::size_t f = 0; f < files.size() && images.size() < count; ++f) {
    read_records(files[f], std::min(records[f], count - images.size()), images);
  }
  return images;
}

Dataset read_cifar(const CifarFolder& place, const DataOptions& options, Halves halves) {
  const bool untrained = halves == Halves::both && place.train.empty();
  if (untrained || place.test.empty()) {
    throw user_error("cifar", "{} has no {}: unpack the whole archive there", place.folder.string(),
                     untrained ? "data_batch_*.bin" : "test_batch.bin");
  }
  check_class_names(place.folder / "batches.meta.txt");
  Dataset data;
  data.name = "CIFAR-10";
  data.source = place.folder.string();
  data.class_names = cifar10_class_names();
  if (halves == Halves::both) {
    data.train = read_cifar_files(place.train, options.train_images, "data.train_images");
  }
  data.test = read_cifar_files({place.test}, options.test_images, "data.test_images");
  return data;
}

}  // namespace sluice

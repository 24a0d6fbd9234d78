#include "data/image_folder.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <utility>

#include "base/fail.h"
#include "base/files.h"
#include "base/parallel.h"
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

struct Decoded {
  std::vector<std::uint8_t> pixels;  ///< of every file
  std::vector<std::string> faults;   ///< of every file; empty for one that was read
};

constexpr std::size_t kImage = std::size_t{3} * kSide * kSide;

/// Tries every file, so that the broken ones can be counted.
Decoded decode(const std::vector<LabelledFile>& files, const DataEvents& events) {
  require_memory_for_images(files.size() * kImage);
  Decoded decoded{std::vector<std::uint8_t>(files.size() * kImage),
                  std::vector<std::string>(files.size())};
  std::atomic<std::size_t> done = 0;
  std::atomic<bool> stopped = false;
  std::exception_ptr why;
  const auto stop = [&] {
    if (!stopped.exchange(true)) why = std::current_exception();
  };
  constexpr std::size_t kGrain = 16;  // small, since photographs differ in size
  // No exception may leave a parallel loop.
  parallel_for(files.size(), kGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end && !stopped; ++row) {
      try {
        const Image image = resized(read_image(files[row].path), kSide, kSide);
        std::ranges::copy(image.pixels, decoded.pixels.begin() + row * kImage);
      } catch (const Error& error) {
        if (error.fault() == Fault::user) {
          decoded.faults[row] = untagged(error);
        } else {
          stop();
        }
      } catch (...) {
        stop();
      }
    }
    done += end - begin;
    if (thread_number() != 0 || !events.images) return;
    try {
      events.images(done, files.size());
    } catch (...) {
      stop();
    }
  });
  if (why) std::rethrow_exception(why);
  return decoded;
}

/// The images that are whole. Throws Error (user) if there are others, unless they may be left out.
LabelledImages whole_ones(const std::vector<LabelledFile>& files, Decoded decoded, bool skip_broken,
                          const DataEvents& events) {
  LabelledImages images{{kSide, kSide, 3}, {}, {}};
  std::string first;
  for (std::size_t row = 0; row < files.size(); ++row) {
    if (!decoded.faults[row].empty()) {
      if (first.empty()) first = decoded.faults[row];
      continue;
    }
    std::copy_n(decoded.pixels.begin() + row * kImage, kImage,
                decoded.pixels.begin() + images.labels.size() * kImage);
    images.labels.push_back(files[row].label);
  }
  decoded.pixels.resize(images.labels.size() * kImage);
  images.pixels = std::move(decoded.pixels);
  const std::size_t broken = files.size() - images.labels.size();
  if (broken == 0) return images;
  const std::string count = fmt::format("{} of {} images", broken, files.size());
  if (!skip_broken || images.labels.empty()) {
    throw user_error("image", "{} ({} cannot be read; data.skip_broken=true leaves such out)",
                     first, count);
  }
  if (events.say) events.say(fmt::format("data: left out {}, such as {}", count, first));
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
                          const DataOptions& options, const DataEvents& events) {
  // Both lists before any decoding, which can take minutes.
  const auto train =
      choose(folder / "train", class_names, options.train_images, "data.train_images");
  const auto test = choose(folder / "test", class_names, options.test_images, "data.test_images");
  Dataset data;
  std::error_code ignored;
  data.name = fs::weakly_canonical(folder, ignored).filename().string();
  data.source = folder.string();
  data.class_names = class_names;
  const auto load = [&](const std::vector<LabelledFile>& files) {
    return whole_ones(files, decode(files, events), options.skip_broken, events);
  };
  data.train = load(train);
  data.test = load(test);
  return data;
}

}  // namespace sluice

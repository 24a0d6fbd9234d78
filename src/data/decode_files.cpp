#include "data/decode_files.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <utility>

#include "base/fail.h"
#include "base/parallel.h"
#include "base/text.h"
#include "data/image_codecs.h"
#include "data/read_images.h"
#include "data/subset.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

/// Returns why a file could not be opened: the message without name and mend.
std::string fault_of(const Error& error, const fs::path& path) {
  std::string text(untagged(error));
  const std::string name = path.string();
  if (text.starts_with(name)) text.erase(0, name.size());
  text.erase(std::min(text.size(), text.rfind(": ")));
  return text.substr(std::min(text.size(), text.find_first_not_of(": ")));
}

std::string relative_name(const fs::path& file, const fs::path& folder) {
  return file.lexically_relative(folder).generic_string();
}

/// Files with the same fault.
struct Broken {
  std::string fault;
  std::vector<std::string> names;
};

std::string in_words(const Broken& broken) {
  constexpr std::size_t kMostNames = 3;
  const std::string first = fmt::format("{} {}", broken.names.front(), broken.fault);
  if (broken.names.size() == 1) return first;
  const std::size_t others = broken.names.size() - 1;
  const std::size_t named = std::min(others, kMostNames - 1);
  return fmt::format("{} (and {} more: {}{})", first, others,
                     fmt::join(broken.names.begin() + 1, broken.names.begin() + 1 + named, ", "),
                     named < others ? ", ..." : "");
}

}  // namespace

DecodedFiles decode_files(std::vector<ImageFile> files, const DataOptions& options,
                          const DataEvents& events) {
  DecodedFiles decoded{std::move(files), {}, {}, options.shape()};
  const auto image = static_cast<std::size_t>(element_count(decoded.shape));
  require_memory_for_images(decoded.files.size() * image);
  const std::size_t count = decoded.files.size();
  decoded.pixels.resize(count * image);
  decoded.faults.resize(count);
  std::atomic<std::size_t> done = 0;
  std::atomic<bool> stopped = false;
  std::exception_ptr why;
  const auto stop = [&] {
    if (!stopped.exchange(true)) why = std::current_exception();
  };
  const ReadOptions how = options.reading();
  MemoryBudget budget(decoding_memory());
  constexpr std::size_t kGrain = 16;  // small, since photographs differ in size
  // OpenMP does not allow an exception to leave a parallel loop.
  parallel_for(count, kGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end && !stopped; ++row) {
      const fs::path& path = decoded.files[row].path;
      try {
        MemoryBudget::Share share(budget);
        std::ranges::copy(fitted(read_image(path, how, &share), decoded.shape, options.resize),
                          decoded.pixels.begin() + row * image);
      } catch (const BadImage& bad) {
        decoded.faults[row] = bad.kind();
      } catch (const Error& error) {
        if (error.fault() == Fault::user) {
          decoded.faults[row] = fault_of(error, path);
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
      events.images(done, count);
    } catch (...) {
      stop();
    }
  });
  if (why) std::rethrow_exception(why);
  return decoded;
}

std::size_t count_broken(const DecodedFiles& decoded) {
  return decoded.faults.size() -
         std::count(decoded.faults.begin(), decoded.faults.end(), std::string());
}

std::string broken_in_words(const std::vector<const DecodedFiles*>& parts, const fs::path& folder) {
  constexpr std::size_t kMostFaults = 8;
  std::vector<Broken> all;
  std::size_t files = 0;
  std::size_t broken = 0;
  for (const DecodedFiles* part : parts) {
    files += part->files.size();
    broken += count_broken(*part);
    // Sorts by name, not in the order of the images: the first names say where to look.
    std::vector<std::pair<std::string, std::string>> faults;
    for (std::size_t row = 0; row < part->files.size(); ++row) {
      if (part->faults[row].empty()) continue;
      faults.emplace_back(relative_name(part->files[row].path, folder), part->faults[row]);
    }
    std::sort(faults.begin(), faults.end());
    for (auto& [name, fault] : faults) {
      const auto found = std::find_if(all.begin(), all.end(), [&, &fault = fault](const Broken& b) {
        return b.fault == fault;
      });
      if (found == all.end()) {
        all.push_back({std::move(fault), {std::move(name)}});
      } else {
        found->names.push_back(std::move(name));
      }
    }
  }
  if (broken == 0) return {};
  std::vector<std::string> words;
  for (const Broken& each : all) words.push_back(in_words(each));
  if (words.size() > kMostFaults) {
    words.resize(kMostFaults);
    words.emplace_back("...");
  }
  return printable(
      fmt::format("{} of {} images cannot be read: {}", broken, files, fmt::join(words, "; ")));
}

LabelledImages whole_images(DecodedFiles decoded, const fs::path& folder) {
  LabelledImages images{decoded.shape, {}, {}, {}};
  const auto image = static_cast<std::size_t>(element_count(decoded.shape));
  for (std::size_t row = 0; row < decoded.files.size(); ++row) {
    if (!decoded.faults[row].empty()) continue;
    std::copy_n(decoded.pixels.begin() + row * image, image,
                decoded.pixels.begin() + images.labels.size() * image);
    images.labels.push_back(decoded.files[row].label);
    images.files.push_back(relative_name(decoded.files[row].path, folder));
  }
  decoded.pixels.resize(images.labels.size() * image);
  images.pixels = std::move(decoded.pixels);
  return images;
}

}  // namespace sluice

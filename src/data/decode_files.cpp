#include "data/decode_files.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <utility>

#include "base/fail.h"
#include "base/machine.h"
#include "base/parallel.h"
#include "base/text.h"
#include "data/decoded_cache.h"
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

/// Returns name and fault of each broken file, sorted by name and not in the order of the images:
/// the first names say where to look.
std::vector<std::pair<std::string, std::string>> sorted_faults(const DecodedFiles& part,
                                                               const fs::path& folder) {
  std::vector<std::pair<std::string, std::string>> faults;
  for (std::size_t row = 0; row < part.files.size(); ++row) {
    if (part.faults[row].empty()) continue;
    faults.emplace_back(relative_name(part.files[row].path, folder), part.faults[row]);
  }
  std::sort(faults.begin(), faults.end());
  return faults;
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

/// Calls put(row, pixels) for each image that can be read, on all threads, and returns why the
/// others cannot. Sets `lasting` to false if a fault is not one of the file's bytes.
template <class Put>
std::vector<std::string> decode(const std::vector<ImageFile>& files, const DataOptions& options,
                                const DataEvents& events, bool& lasting, const Put& put) {
  const std::size_t count = files.size();
  std::vector<std::string> faults(count);
  std::atomic<std::size_t> done = 0;
  std::atomic<bool> stopped = false;
  std::atomic<bool> passing = false;
  std::exception_ptr why;
  const auto stop = [&] {
    if (!stopped.exchange(true)) why = std::current_exception();
  };
  const ReadOptions how = options.reading();
  const Shape shape = options.shape();
  MemoryBudget budget(decoding_memory());
  constexpr std::size_t kGrain = 4;  // small: four large photographs take half a second
  std::size_t told = 0;              // by the calling thread
  // OpenMP does not allow an exception to leave a parallel loop.
  parallel_for(count, kGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end && !stopped; ++row) {
      const fs::path& path = files[row].path;
      try {
        MemoryBudget::Share share(budget);
        put(row, fitted(read_image(path, how, &share), shape, options.resize));
      } catch (const BadImage& bad) {
        faults[row] = bad.kind();
      } catch (const Error& error) {
        if (error.fault() == Fault::user) {
          faults[row] = fault_of(error, path);
          passing = true;
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
      told = done;
      events.images(told, count);
    } catch (...) {
      stop();
    }
  });
  if (why) std::rethrow_exception(why);
  if (events.images && told < count) events.images(count, count);
  lasting = !passing;
  return faults;
}

/// Copies all images into memory. Returns false if the file is damaged.
bool read_all(const DecodedImages& images, std::size_t count, std::size_t image,
              std::vector<std::uint8_t>& pixels) {
  pixels.resize(count * image);
  std::atomic<bool> whole = true;
  constexpr std::size_t kGrain = 64;
  parallel_for(count, kGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end && whole; ++row) {
      try {
        if (images.faults()[row].empty()) {
          images.read(row, std::span(pixels).subspan(row * image, image));
        }
      } catch (const Error&) {
        whole = false;
      }
    }
  });
  return whole;
}

/// Keeps decoded images for the next time. That this is not possible is no error.
void keep(const DecodedFiles& decoded, const fs::path& folder, const DecodedKey& key,
          const DataEvents& events) {
  try {
    DecodedWriter writer(folder, key);
    const std::span pixels(decoded.pixels);
    for (std::size_t row = 0; row < key.images; ++row) {
      writer.put(row, pixels.subspan(row * key.image_bytes, key.image_bytes));
    }
    writer.keep(decoded.faults);
  } catch (const Error& error) {
    if (events.say) {
      events.say(fmt::format("data: the decoded pictures are not kept: {}", untagged(error)));
    }
  }
}

}  // namespace

DecodedFiles decode_files(std::vector<ImageFile> files, const DataOptions& options,
                          const DataEvents& events, DecodedLimits limits) {
  DecodedFiles decoded{std::move(files), {}, {}, options.shape(), {}};
  const auto image = static_cast<std::size_t>(element_count(decoded.shape));
  const std::size_t count = decoded.files.size();
  const std::uint64_t bytes = std::uint64_t{count} * image;
  const bool in_memory = bytes <= limits.in_memory;
  const fs::path folder =
      in_memory && bytes_of(decoded.files) < limits.worth_keeping ? fs::path() : decoded_folder();
  const DecodedKey key = folder.empty() ? DecodedKey{} : decoded_key(decoded.files, options);
  if (!folder.empty()) {
    if (const auto kept = DecodedImages::open(folder, key)) {
      decoded.faults = kept->faults();
      if (!in_memory) {
        decoded.stored = kept;
        return decoded;
      }
      require_memory_for_images(bytes);
      if (read_all(*kept, count, image, decoded.pixels)) return decoded;
    }
  }
  bool lasting = true;
  if (in_memory || folder.empty()) {
    require_memory_for_images(bytes);
    decoded.pixels.resize(count * image);
    decoded.faults = decode(decoded.files, options, events, lasting,
                            [&](std::size_t row, const std::vector<std::uint8_t>& pixels) {
                              std::ranges::copy(pixels, decoded.pixels.begin() + row * image);
                            });
    if (!folder.empty() && lasting && bytes < free_disk_bytes(folder) / 4) {
      keep(decoded, folder, key, events);
    }
  } else {
    DecodedWriter writer(folder, key);
    decoded.faults = decode(
        decoded.files, options, events, lasting,
        [&](std::size_t row, const std::vector<std::uint8_t>& pixels) { writer.put(row, pixels); });
    writer.keep(decoded.faults);
    decoded.stored = DecodedImages::open(folder, key);
    if (!decoded.stored) {
      throw machine_error("data", "{} cannot be read again: check the disk", path_text(folder));
    }
    if (!lasting) fs::remove(folder / key.digest);  // stays as long as it is open
  }
  if (!folder.empty()) limit_decoded(folder, limits.on_disk);
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
    for (auto& [name, fault] : sorted_faults(*part, folder)) {
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

void report_broken(const std::vector<const DecodedFiles*>& parts, const fs::path& folder,
                   const DataEvents& events) {
  for (const DecodedFiles* part : parts) {
    for (const auto& [name, fault] : sorted_faults(*part, folder)) {
      events.problem({DataProblem::Kind::broken, fmt::format("{} {}", name, fault)});
    }
  }
}

LabelledImages whole_images(DecodedFiles decoded, const fs::path& folder) {
  LabelledImages images{decoded.shape, {}, {}, {}, {}};
  const auto image = static_cast<std::size_t>(element_count(decoded.shape));
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < decoded.files.size(); ++row) {
    if (!decoded.faults[row].empty()) continue;
    if (!decoded.stored) {
      std::copy_n(decoded.pixels.begin() + row * image, image,
                  decoded.pixels.begin() + images.labels.size() * image);
    }
    rows.push_back(row);
    images.labels.push_back(decoded.files[row].label);
    images.files.push_back(relative_name(decoded.files[row].path, folder));
  }
  if (decoded.stored) {
    decoded.stored->select(std::move(rows));
    images.decoded = std::move(decoded.stored);
    return images;
  }
  decoded.pixels.resize(images.labels.size() * image);
  images.pixels = std::move(decoded.pixels);
  return images;
}

}  // namespace sluice

#include "sluice/dataset.h"

#include <cstdlib>

#include "base/fail.h"
#include "base/files.h"
#include "data/builtin.h"
#include "data/cifar.h"
#include "data/download.h"
#include "data/image_folder.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

constexpr const char* kBuiltin = "builtin";

/// A place that the user has named, and how, for messages. No place if none was; a variable set to
/// nothing names none.
struct Named {
  std::string place;
  std::string how;
};

Named named_place(const std::string& data) {
  if (!data.empty()) return {data, "given with --data"};
  const char* variable = std::getenv("SLUICE_DATA");
  return {variable != nullptr ? variable : "", "given by $SLUICE_DATA"};
}

void say(const DataEvents& events, const std::string& line) {
  if (events.say) events.say(line);
}

bool is_any_folder(const DataOptions& options) {
  if (options.set == "folder") return true;
  if (options.set == "cifar-10") return false;
  throw user_error("data", "data.set = \"{}\": choose \"cifar-10\" or \"folder\"", options.set);
}

fs::path existing_folder(const Named& named) {
  if (!is_folder(named.place)) {
    std::error_code ignored;
    throw user_error("data", "{} ({}) {}: name a folder, or \"builtin\"", named.place, named.how,
                     fs::exists(named.place, ignored) ? "is not a folder" : "does not exist");
  }
  return named.place;
}

/// The folder for data.set = "folder", which has nothing to fall back on.
fs::path required_folder(const Named& named) {
  if (named.place.empty() || named.place == kBuiltin) {
    throw user_error("data", "data.set = \"folder\" needs images of your own: pass --data DIR");
  }
  fs::path folder = existing_folder(named);
  if (!is_image_folder(folder)) {
    throw user_error("data", "{} ({}) has no train/<class>/ and test/<class>/: check the path",
                     named.place, named.how);
  }
  return folder;
}

Dataset load_builtin(const DataOptions& options, const DataEvents& events, const std::string& why) {
  say(events, fmt::format("data: the built-in images, drawn by sluice ({})", why));
  return draw_builtin(options.train_images, options.test_images);
}

Dataset load_cifar_folder(const Named& named, const DataOptions& options,
                          const DataEvents& events) {
  const fs::path folder = existing_folder(named);
  const std::optional<CifarFolder> binary = find_cifar(folder);
  if (!binary && !is_image_folder(folder)) {
    throw user_error("data",
                     "{} ({}) has neither data_batch_*.bin and test_batch.bin nor train/<class>/ "
                     "and test/<class>/: check the path",
                     named.place, named.how);
  }
  say(events, fmt::format("data: CIFAR-10 from {} ({})",
                          binary ? binary->folder.string() : folder.string(), named.how));
  if (binary) return read_cifar(*binary, options);
  Dataset data = read_image_folder(folder, cifar10_class_names(), options, events);
  data.name = "CIFAR-10";
  return data;
}

/// The downloaded folder, or nothing and the reason said. What the progress callback throws is not
/// a failed download: it is the caller's wish to stop.
fs::path try_to_fetch(const DataEvents& events) {
  bool stopped = false;
  DataEvents watched = events;
  if (events.progress) {
    watched.progress = [&](std::uint64_t done, std::uint64_t total) {
      stopped = true;
      events.progress(done, total);
      stopped = false;
    };
  }
  try {
    return fetch_cifar10(kCifar10Url, watched);
  } catch (const Error& error) {
    if (stopped) throw;
    say(events, fmt::format("data: no download: {}", error.what()));
    return {};
  }
}

}  // namespace

const std::vector<std::string>& cifar10_class_names() {
  static const std::vector<std::string> names{"airplane", "automobile", "bird",  "cat",  "deer",
                                              "dog",      "frog",       "horse", "ship", "truck"};
  return names;
}

std::vector<std::string> list_classes(const DataOptions& options, const std::string& data) {
  if (!is_any_folder(options)) return cifar10_class_names();
  return list_image_classes(required_folder(named_place(data)));
}

Dataset load_data(const DataOptions& options, const std::string& data, const DataEvents& events) {
  const Named named = named_place(data);
  if (is_any_folder(options)) {
    const fs::path folder = required_folder(named);
    say(events, fmt::format("data: images from {} ({})", named.place, named.how));
    return read_image_folder(folder, list_image_classes(folder), options, events);
  }
  if (named.place == kBuiltin) return load_builtin(options, events, named.how);
  if (!named.place.empty()) return load_cifar_folder(named, options, events);

  const fs::path cached = cached_cifar(cache_folder());
  if (!cache_folder().empty() && is_folder(cached)) {
    return load_cifar_folder({cached.string(), "downloaded earlier"}, options, events);
  }
  const fs::path fetched = try_to_fetch(events);
  if (fetched.empty()) return load_builtin(options, events, "no copy of CIFAR-10 was found");
  return load_cifar_folder({fetched.string(), "just downloaded"}, options, events);
}

}  // namespace sluice

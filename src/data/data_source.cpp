#include "sluice/dataset.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"
#include "data/builtin.h"
#include "data/cifar.h"
#include "data/cifar_cache.h"
#include "data/class_folders.h"
#include "data/image_folder.h"
#include "data/loaded.h"
#include "data/resize_images.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

constexpr const char* kBuiltin = "builtin";

/// A place that the user gave, and how, for messages. The place is empty if the user gave none, or
/// set the variable to nothing.
struct Named {
  std::string place;
  std::string how;
};

/// Replaces a leading ~: the shell does not expand it in --data=~/pics or in a quoted variable.
std::string with_home(const std::string& place) {
  const char* home = std::getenv("HOME");
  const bool has_tilde = place == "~" || place.starts_with("~/");
  return has_tilde && home != nullptr ? home + place.substr(1) : place;
}

Named named_place(const DataPlace& place) {
  if (!place.path.empty()) return {with_home(place.path), place.named_by};
  const char* variable = std::getenv("SLUICE_DATA");
  return {with_home(variable != nullptr ? variable : ""), "given by $SLUICE_DATA"};
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
    throw user_error("data", "{} ({}) {}: name a folder, or \"builtin\"", path_text(named.place),
                     named.how,
                     fs::exists(named.place, ignored) ? "is not a folder" : "does not exist");
  }
  return named.place;
}

/// Returns the folder for data.set = "folder", which has no fallback.
fs::path required_folder(const Named& named) {
  if (named.place.empty() || named.place == kBuiltin) {
    throw user_error("data", "data.set = \"folder\" needs images of your own: pass --data DIR");
  }
  fs::path folder = existing_folder(named);
  if (!is_image_folder(folder)) {
    throw user_error("data", "{} ({}) has no train/<class>/ and test/<class>/; {}",
                     path_text(named.place), named.how, mend_of_missing_halves(folder));
  }
  return folder;
}

Dataset load_builtin(const DataOptions& options, const DataEvents& events, const std::string& why,
                     Halves halves) {
  say(events, fmt::format("data: the built-in images, drawn by sluice ({})", why));
  if (halves == Halves::both) {
    require_one_of_each_class(options.train_images, cifar10_class_names().size());
  }
  Dataset data = draw_builtin(options.train_images, options.test_images, halves);
  data.place = kBuiltin;
  return data;
}

/// Formats the names as a list in TOML.
std::string toml_list(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    list += list.empty() ? "\"" : ", \"";
    for (const char c : name) list += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
    list += '"';
  }
  return "[" + one_line(list, 2000) + "]";
}

/// Throws Error (user) if the folders are not CIFAR-10's classes: they are the user's own, or names
/// are misspelt.
void require_cifar_classes(const fs::path& folder, Halves halves) {
  const fs::path half = existing_half(folder, halves == Halves::both ? "train" : "test");
  const std::vector<std::string> found = class_folders(half);
  const std::vector<std::string>& due = cifar10_class_names();
  if (found == due || found.empty()) return;
  const bool misspelt = found.size() == due.size() &&
                        std::all_of(found.begin(), found.end(), [&](const std::string& name) {
                          return !closest(name, due).empty();
                        });
  if (misspelt) require_known_classes(half, due);
  if (halves == Halves::test && std::includes(due.begin(), due.end(), found.begin(), found.end())) {
    return;  // some of the classes have no test image
  }
  throw user_error(
      "data",
      "{} has other classes than CIFAR-10's ten: if these pictures are your own, write "
      "set = \"folder\" under [data] of the experiment, and divide classes = {} "
      "over two or more [[groups]]",
      path_text(half), toml_list(found));
}

Dataset load_cifar_folder(const Named& named, const DataOptions& options, const DataEvents& events,
                          Halves halves) {
  const fs::path folder = existing_folder(named);
  const std::optional<CifarFolder> binary = find_cifar(folder);
  if (!binary && !is_image_folder(folder)) {
    throw user_error("data",
                     "{} ({}) has neither data_batch_*.bin and test_batch.bin nor train/<class>/ "
                     "and test/<class>/; {}",
                     path_text(named.place), named.how, mend_of_missing_halves(folder));
  }
  say(events, fmt::format("data: CIFAR-10 from {} ({})",
                          path_text(binary ? binary->folder : folder), named.how));
  if (binary) return read_cifar(*binary, options, halves);
  require_cifar_classes(folder, halves);
  Dataset data = read_image_folder(folder, cifar10_class_names(), options, events, halves);
  data.name = "CIFAR-10";
  return data;
}

/// Returns the downloaded folder, or nothing after saying why. An exception of the progress
/// callback is the caller's wish to stop, not a failed download.
fs::path try_to_download(const DataEvents& events) {
  if (!events.download) return {};
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
    return events.download(watched);
  } catch (const Error& error) {
    if (stopped) throw;
    say(events, fmt::format("data: the download failed: {}", error.what()));
    return {};
  }
}

}  // namespace

const std::vector<std::string>& cifar10_class_names() {
  static const std::vector<std::string> names{"airplane", "automobile", "bird",  "cat",  "deer",
                                              "dog",      "frog",       "horse", "ship", "truck"};
  return names;
}

namespace {

/// Searches for a copy of CIFAR-10 and loads it.
Dataset find_and_load_cifar(const DataOptions& options, const DataPlace& place,
                            const DataEvents& events, Halves halves) {
  const Named named = named_place(place);
  if (named.place == kBuiltin) return load_builtin(options, events, named.how, halves);
  if (!named.place.empty()) return load_cifar_folder(named, options, events, halves);

  const fs::path cached = cached_cifar(cache_folder());
  if (!cache_folder().empty() && is_folder(cached)) {
    return load_cifar_folder({cached.string(), "downloaded earlier"}, options, events, halves);
  }
  const fs::path fetched = try_to_download(events);
  if (!fetched.empty()) {
    return load_cifar_folder({fetched.string(), "just downloaded"}, options, events, halves);
  }
  if (!place.may_draw) {
    throw user_error("data", "no copy of CIFAR-10 was found: pass --data DIR");
  }
  return load_builtin(options, events, "no copy of CIFAR-10 was found", halves);
}

/// Resizes images that are not of the wanted shape, sets the place by which a run finds the data
/// again, and checks the data.
Dataset finished(Dataset data, const DataOptions& options, const DataEvents& events,
                 Halves halves) {
  resize_images(data.train, options);
  resize_images(data.test, options);
  if (data.place.empty()) data.place = fs::absolute(data.source).lexically_normal().string();
  check_data(data, halves, events);
  return data;
}

Dataset load_folder(const DataOptions& options, const std::vector<std::string>* class_names,
                    const DataPlace& place, const DataEvents& events, Halves halves) {
  const Named named = named_place(place);
  const fs::path folder = required_folder(named);
  say(events, fmt::format("data: images from {} ({})", path_text(named.place), named.how));
  return read_image_folder(folder, class_names ? *class_names : list_image_classes(folder), options,
                           events, halves);
}

}  // namespace

std::vector<std::string> list_classes(const DataOptions& options, const DataPlace& place) {
  if (!is_any_folder(options)) return cifar10_class_names();
  return list_image_classes(required_folder(named_place(place)));
}

Dataset load_data(const DataOptions& options, const DataPlace& place, const DataEvents& events) {
  constexpr Halves kBoth = Halves::both;
  return finished(is_any_folder(options) ? load_folder(options, nullptr, place, events, kBoth)
                                         : find_and_load_cifar(options, place, events, kBoth),
                  options, events, kBoth);
}

Dataset load_test_data(const DataOptions& options, const std::vector<std::string>& class_names,
                       const DataPlace& place, const DataEvents& events) {
  constexpr Halves kTest = Halves::test;
  return finished(is_any_folder(options) ? load_folder(options, &class_names, place, events, kTest)
                                         : find_and_load_cifar(options, place, events, kTest),
                  options, events, kTest);
}

}  // namespace sluice

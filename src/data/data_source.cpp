#include "sluice/dataset.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <variant>

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"
#include "data/arrays/array_source.h"
#include "data/arrays/read_arrays.h"
#include "data/builtin.h"
#include "data/cifar.h"
#include "data/cifar_cache.h"
#include "data/class_folders.h"
#include "data/csv_files.h"
#include "data/image_folder.h"
#include "data/listing.h"
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

/// Whether the classes are those that the data has.
bool is_own(const DataOptions& options) {
  return options.set == "folder" || options.set == "csv";
}

fs::path existing_place(const Named& named) {
  std::error_code ignored;
  if (fs::exists(named.place, ignored)) return named.place;
  throw user_error("data", "{} ({}) does not exist: name a folder, or \"builtin\"",
                   path_text(named.place), named.how);
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
void require_cifar_classes(const FolderLayout& layout, Halves halves) {
  const fs::path half = halves == Halves::both && !layout.train.empty() ? layout.train
                        : layout.test.empty()                           ? layout.train
                                                                        : layout.test;
  const std::vector<std::string> found = class_folders(half);
  const std::vector<std::string>& due = cifar10_class_names();
  if (found == due || found.empty()) return;
  const bool misspelt = found.size() == due.size() &&
                        std::all_of(found.begin(), found.end(), [&](const std::string& name) {
                          return !closest(name, due).empty();
                        });
  const std::vector<std::string> unknown = unknown_classes(half, due);
  if (misspelt && !unknown.empty()) throw user_error("data", "{}", unknown.front());
  if (halves == Halves::test && std::includes(due.begin(), due.end(), found.begin(), found.end())) {
    return;  // some of the classes have no test image
  }
  throw user_error(
      "data",
      "{} has other classes than CIFAR-10's ten: if these pictures are your own, write "
      "set = \"folder\" under [data] of the experiment, and divide classes = {} "
      "over two or more [[groups]], or let `sluice init {}` write the experiment",
      path_text(half), toml_list(found), argument_text(layout.folder));
}

Dataset load_cifar_place(const Named& named, const DataOptions& options, const DataEvents& events,
                         Halves halves) {
  const fs::path place = existing_place(named);
  const auto tell = [&](const fs::path& found) {
    say(events, fmt::format("data: CIFAR-10 from {} ({})", path_text(found), named.how));
  };
  if (const std::optional<CifarFolder> binary = find_cifar(place)) {
    tell(binary->folder);
    return read_cifar(*binary, options, halves);
  }
  if (const std::optional<ArraySource> arrays = find_cifar_arrays(place, 10)) {
    tell(arrays->place);
    return read_arrays(*arrays, options, events, halves);
  }
  const std::optional<FolderLayout> layout =
      is_folder(place) ? find_layout(place) : std::optional<FolderLayout>();
  if (!layout) {
    throw user_error("data",
                     "{} ({}) has neither CIFAR-10 (data_batch_*.bin, data_batch_1 or an archive) "
                     "nor train/<class>/ and test/<class>/; {}",
                     path_text(named.place), named.how,
                     is_folder(place)
                         ? nearest_layout(place)
                         : "for your own pictures write set = \"folder\" under [data]");
  }
  tell(layout->folder);
  require_cifar_classes(*layout, halves);
  Dataset data = read_image_folder(*layout, cifar10_class_names(), options, events, halves);
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

/// Keras's folder of data sets; it need not exist.
fs::path keras_datasets() {
  const char* keras = std::getenv("KERAS_HOME");
  if (keras != nullptr && *keras != '\0') return fs::path(keras) / "datasets";
  const char* home = std::getenv("HOME");
  return home != nullptr && *home != '\0' ? fs::path(home) / ".keras" / "datasets" : fs::path();
}

/// Searches for a copy of CIFAR-10 and loads it.
Dataset find_and_load_cifar(const DataOptions& options, const DataPlace& place,
                            const DataEvents& events, Halves halves) {
  const Named named = named_place(place);
  if (named.place == kBuiltin) return load_builtin(options, events, named.how, halves);
  if (!named.place.empty()) return load_cifar_place(named, options, events, halves);

  const fs::path cached = cached_cifar(cache_folder());
  if (!cache_folder().empty() && is_folder(cached)) {
    return load_cifar_place({cached.string(), "downloaded earlier"}, options, events, halves);
  }
  const fs::path keras = keras_datasets();
  if (is_folder(keras)) {
    if (const std::optional<ArraySource> found = find_cifar_arrays(keras, 10)) {
      return load_cifar_place({found->place.string(), "where Keras keeps it"}, options, events,
                              halves);
    }
  }
  const fs::path fetched = try_to_download(events);
  if (!fetched.empty()) {
    return load_cifar_place({fetched.string(), "just downloaded"}, options, events, halves);
  }
  if (!place.may_draw) {
    throw user_error("data", "no copy of CIFAR-10 was found: pass --data DIR");
  }
  return load_builtin(options, events, "no copy of CIFAR-10 was found", halves);
}

/// Data that was found, by one of its readers.
using Found = std::variant<ArraySource, FolderLayout, fs::path>;  // the path is a CSV file

/// Returns the arrays of a set in a place.
std::optional<ArraySource> find_set(const std::string& set, const fs::path& place) {
  if (set == "cifar-100") return find_cifar_arrays(place, 100);
  std::optional<ArraySource> found = find_idx(place);
  if (!found && place.extension() == ".npz") found = find_numpy(place);
  if (!found && is_folder(place)) {
    for (const fs::path& inside : {place / set, place / (set + ".npz")}) {
      std::error_code ignored;
      if (!found && fs::exists(inside, ignored)) found = find_set(set, inside);
    }
  }
  if (found) {
    found->name = set == "mnist" ? "MNIST" : "Fashion-MNIST";
    found->class_names = [set] { return class_names_of_set(set); };
  }
  return found;
}

ArraySource require_set(const std::string& set, const Named& named) {
  const std::string place = named.place.empty() ? keras_datasets().string() : named.place;
  if (place == kBuiltin) {
    throw user_error("data", "the built-in images are not {}: pass --data DIR", set);
  }
  std::optional<ArraySource> found;
  if (!named.place.empty()) existing_place(named);
  std::error_code ignored;
  if (fs::exists(place, ignored)) found = find_set(set, place);
  if (found) return *found;
  throw user_error("data", "{} has no {}: pass --data DIR, with {}", path_text(place), set,
                   set == "cifar-100" ? "its files in binary or Python's form, or the archive"
                                      : "its four idx files, or the .npz file of Keras");
}

Found require_own(const DataOptions& options, const Named& named) {
  if (named.place.empty() || named.place == kBuiltin) {
    throw user_error("data", "data.set = \"{}\" needs images of your own: pass --data DIR",
                     options.set);
  }
  const fs::path place = existing_place(named);
  if (options.set == "csv") {
    if (const std::optional<fs::path> csv = find_csv(place)) return *csv;
    throw user_error("data", "{} ({}) is no CSV file, and no folder with one: pass --data FILE.csv",
                     path_text(place), named.how);
  }
  if (is_folder(place)) {
    if (const std::optional<FolderLayout> layout = find_layout(place)) return *layout;
  }
  if (const std::optional<fs::path> csv = find_csv(place)) return *csv;
  std::optional<ArraySource> arrays = find_idx(place);
  if (!arrays) arrays = find_numpy(place);
  for (const int classes : {10, 100}) {
    if (!arrays) arrays = find_cifar_arrays(place, classes);
  }
  if (arrays) return *arrays;
  if (is_folder(place)) {
    throw user_error("data", "{} ({}) has no train/<class>/ and test/<class>/; {}",
                     path_text(named.place), named.how, nearest_layout(place));
  }
  throw user_error("data",
                   "{} ({}) is no folder, CSV file, .npz file, idx file or CIFAR archive: unpack "
                   "other archives, and name the folder",
                   path_text(named.place), named.how);
}

Found require_found(const DataOptions& options, const Named& named) {
  if (is_own(options)) return require_own(options, named);
  return require_set(options.set, named);
}

std::vector<std::string> classes_of(const Found& found) {
  if (const auto* arrays = std::get_if<ArraySource>(&found)) return arrays->class_names();
  if (const auto* layout = std::get_if<FolderLayout>(&found)) return list_image_classes(*layout);
  return list_csv(std::get<fs::path>(found), {}).class_names;
}

Dataset read_found(const Found& found, const std::vector<std::string>* class_names,
                   const DataOptions& options, const Named& named, const DataEvents& events,
                   Halves halves) {
  const auto tell = [&](const std::string& what, const fs::path& place) {
    say(events, fmt::format("data: {} from {} ({})", what, path_text(place),
                            named.place.empty() ? "where Keras keeps it" : named.how));
  };
  if (const auto* arrays = std::get_if<ArraySource>(&found)) {
    tell(arrays->in_words, arrays->place);
    Dataset data = read_arrays(*arrays, options, events, halves);
    if (class_names != nullptr) data.class_names = *class_names;
    return data;
  }
  if (const auto* layout = std::get_if<FolderLayout>(&found)) {
    tell("images", layout->folder);
    return read_image_folder(*layout, class_names ? *class_names : list_image_classes(*layout),
                             options, events, halves);
  }
  const fs::path& csv = std::get<fs::path>(found);
  tell("images", csv);
  return read_listing(list_csv(csv, class_names ? std::optional(*class_names) : std::nullopt),
                      options, events, halves);
}

Dataset load(const DataOptions& options, const std::vector<std::string>* class_names,
             const DataPlace& place, const DataEvents& events, Halves halves) {
  Dataset data;
  if (options.set == "cifar-10") {
    data = find_and_load_cifar(options, place, events, halves);
  } else {
    const Named named = named_place(place);
    data = read_found(require_found(options, named), class_names, options, named, events, halves);
  }
  const bool has_files = !data.train.files.empty();  // those are split by their names
  if (halves == Halves::both && options.validation_split > 0 && !has_files) {
    split_validation(data, options);
  }
  if (data.validation.size() > 0) {
    say(events, fmt::format("data: {} images validate", data.validation.size()));
  }
  for (LabelledImages* half : {&data.train, &data.validation, &data.test}) {
    resize_images(*half, options);
  }
  // A run finds the data again by its place.
  if (data.place.empty()) data.place = fs::absolute(data.source).lexically_normal().string();
  check_data(data, options, halves, events);
  return data;
}

}  // namespace

std::vector<std::string> class_names_of_set(const std::string& set) {
  if (set == "cifar-10") return cifar10_class_names();
  if (set == "cifar-100") return cifar100_class_names();
  if (set == "fashion-mnist") return fashion_class_names();
  if (set == "mnist") return number_names(10);
  if (set == "folder" || set == "csv") return {};
  throw user_error("data",
                   "data.set = \"{}\": choose \"cifar-10\", \"cifar-100\", \"mnist\", "
                   "\"fashion-mnist\", \"folder\" or \"csv\"",
                   set);
}

std::vector<std::string> list_classes(const DataOptions& options, const DataPlace& place) {
  const std::vector<std::string> known = class_names_of_set(options.set);
  return known.empty() ? classes_of(require_own(options, named_place(place))) : known;
}

Dataset load_data(const DataOptions& options, const DataPlace& place, const DataEvents& events) {
  class_names_of_set(options.set);  // refuses an unknown set
  return load(options, nullptr, place, events, Halves::both);
}

Dataset load_test_data(const DataOptions& options, const std::vector<std::string>& class_names,
                       const DataPlace& place, const DataEvents& events) {
  class_names_of_set(options.set);
  return load(options, &class_names, place, events, Halves::test);
}

}  // namespace sluice

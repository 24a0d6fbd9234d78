#include "data/class_folders.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"
#include "data/folder_files.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::path& path : list_without_litter(folder)) {
    names.push_back(path.filename().string());
  }
  return names;
}

/// Lists the first few names: "found Train, Test".
std::string names_found(const fs::path& folder) {
  constexpr std::size_t kMost = 6;
  std::vector<std::string> names = names_in(folder);
  if (names.empty()) return "it is empty";
  const std::string more = names.size() > kMost ? ", ..." : "";
  names.resize(std::min(names.size(), kMost));
  return one_line(fmt::format("found {}{}", fmt::join(names, ", "), more), 400);
}

using Words = std::vector<std::string>;
const Words kTrainWords{"train", "training", "trainset", "train_set"};
const Words kValidationWords{"val", "valid", "validation"};
const Words kTestWords{"test", "testing", "tests", "testset", "test_set"};

bool is_one_of(const Words& words, const std::string& name) {
  return std::find(words.begin(), words.end(), folded(name)) != words.end();
}

/// Returns the folder that is a half by its name; empty if there is none.
fs::path half_in(const fs::path& folder, const Words& words) {
  std::vector<std::string> found;
  for (const std::string& name : class_folders(folder)) {
    if (is_one_of(words, name)) found.push_back(name);
  }
  if (found.empty()) return {};
  if (found.size() > 1) {
    throw user_error("data", "{} has {}: leave one of them", path_text(folder),
                     one_line(fmt::to_string(fmt::join(found, " and ")), 200));
  }
  return folder / found.front();
}

/// Returns the folders by their names; nothing without a training and a test half.
std::optional<FolderLayout> halves_in(const fs::path& folder) {
  FolderLayout layout{folder, half_in(folder, kTrainWords), half_in(folder, kValidationWords),
                      half_in(folder, kTestWords)};
  if (layout.train.empty() && layout.test.empty()) return {};
  return layout;
}

/// Whether a folder is itself a half of the data set that the folder above has.
bool is_half(const fs::path& folder) {
  const fs::path whole = fs::absolute(folder / ".").lexically_normal().parent_path();
  const std::string name = whole.filename().string();
  if (!is_one_of(kTrainWords, name) && !is_one_of(kTestWords, name) &&
      !is_one_of(kValidationWords, name)) {
    return false;
  }
  const std::optional<FolderLayout> above = halves_in(whole.parent_path());
  return above && !above->train.empty() && !(above->test.empty() && above->validation.empty());
}

std::size_t count_pictures_in(const fs::path& folder) {
  const std::vector<fs::path> paths = list_without_litter(folder);
  return static_cast<std::size_t>(
      std::count_if(paths.begin(), paths.end(),
                    [](const fs::path& path) { return !is_folder(path) && is_picture(path); }));
}

std::optional<FolderLayout> layout_within(const fs::path& folder, int levels) {
  if (const std::optional<FolderLayout> halves = halves_in(folder)) return halves;
  if (is_half(folder)) return {};
  const std::vector<std::string> names = class_folders(folder);
  const auto classes = std::count_if(names.begin(), names.end(), [&](const std::string& name) {
    return has_picture(folder / name);
  });
  if (classes >= 2) return FolderLayout{folder, folder, {}, {}};
  if (names.size() != 1 || levels == 0 || count_pictures_in(folder) > 0) return {};
  return layout_within(folder / names.front(), levels - 1);
}

}  // namespace

bool is_litter(const fs::path& path) {
  constexpr std::array kLitter{"__macosx",     "@eadir",      "thumbs.db",
                               "ehthumbs.db",  "desktop.ini", "#recycle",
                               "$recycle.bin", "lost+found",  "system volume information"};
  const std::string name = folded(path.filename().string());
  return name.starts_with('.') || std::find(kLitter.begin(), kLitter.end(), name) != kLitter.end();
}

std::vector<fs::path> list_without_litter(const fs::path& folder) {
  std::vector<fs::path> paths = list_folder(folder, "data");
  std::erase_if(paths, is_litter);
  return paths;
}

std::optional<FolderLayout> find_layout(const fs::path& folder) {
  constexpr int kMostLevels = 3;
  return layout_within(folder, kMostLevels);
}

std::string nearest_layout(const fs::path& folder) {
  const std::string found = names_found(folder);
  if (is_half(folder)) {
    return fmt::format(
        "{}: pass --data {}, which has both halves", found,
        argument_text(fs::absolute(folder / ".").lexically_normal().parent_path().parent_path()));
  }
  const std::vector<std::string> names = class_folders(folder);
  if (const std::size_t pictures = count_pictures_in(folder); pictures > 0) {
    return fmt::format(
        "{}, with {} {} in no class folder: put those of each class into a folder "
        "of its own, or list file and label in a CSV file and pass it as --data",
        found, pictures, pictures == 1 ? "picture" : "pictures");
  }
  for (const std::string& name : names) {
    if (halves_in(folder / name)) {
      return fmt::format("{}: pass --data {}", found, argument_text(folder / name));
    }
  }
  if (!names.empty()) {
    return fmt::format("{}: pictures are needed in the folders of two or more classes", found);
  }
  return fmt::format(
      "{}: put the images of each class into train/CLASS and test/CLASS, or into "
      "CLASS alone",
      found);
}

std::vector<std::string> class_folders(const fs::path& half) {
  std::vector<std::string> names;
  for (const fs::path& path : list_without_litter(half)) {
    if (is_folder(path)) names.push_back(path.filename().string());
  }
  return names;
}

std::vector<std::string> unknown_classes(const fs::path& half,
                                         const std::vector<std::string>& class_names,
                                         const fs::path& training) {
  std::vector<std::string> unknown;
  for (const std::string& name : class_folders(half)) {
    if (std::find(class_names.begin(), class_names.end(), name) != class_names.end()) continue;
    if (count_files(half / name) == 0) continue;
    const std::string meant = closest(name, class_names);
    unknown.push_back(fmt::format(
        "{} has a folder '{}' that is not one of the classes {}: {}", path_text(half),
        one_line(name), one_line(fmt::to_string(fmt::join(class_names, ", ")), 400),
        !meant.empty() && folded(meant) == folded(name) && meant.size() != name.size()
            ? fmt::format("did you mean '{}', which Unicode writes in other bytes? rename it",
                          one_line(meant))
        : !meant.empty()
            ? fmt::format("did you mean '{}'? rename it, or remove it", one_line(meant))
        : training.empty() ? "remove it"
                           : fmt::format("put training images of it into {}, or remove it",
                                         path_text(training / name))));
  }
  return unknown;
}

std::vector<fs::path> list_litter(const fs::path& folder) {
  std::vector<fs::path> litter;
  std::error_code ignored;
  for (fs::recursive_directory_iterator it(folder, ignored), end; it != end;
       it.increment(ignored)) {
    if (!is_litter(it->path())) continue;
    litter.push_back(it->path());
    it.disable_recursion_pending();
  }
  std::sort(litter.begin(), litter.end());
  return litter;
}

std::string similar_classes(const std::vector<std::string>& class_names) {
  std::map<std::string, std::string> seen;
  std::vector<std::string> pairs;
  for (const std::string& name : class_names) {
    const auto [first, fresh] = seen.emplace(folded(name), name);
    if (!fresh) pairs.push_back(fmt::format("{} and {}", first->second, name));
  }
  return fmt::to_string(fmt::join(pairs, ", "));
}

}  // namespace sluice

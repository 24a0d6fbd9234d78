#include "data/class_folders.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"
#include "data/image_folder.h"

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

/// Returns the folder that was probably meant as a half; empty if there is none.
std::string intended_half(const fs::path& folder, const std::string& half) {
  const std::vector<std::string> words =
      half == "train"
          ? std::vector<std::string>{"train", "training", "trainset", "train_set"}
          : std::vector<std::string>{"test", "testing", "tests",      "testset", "test_set",
                                     "val",  "valid",   "validation", "eval"};
  const std::vector<std::string> names = class_folders(folder);
  for (const std::string& word : words) {
    const auto found = std::find_if(names.begin(), names.end(),
                                    [&](const std::string& name) { return folded(name) == word; });
    if (found != names.end()) return *found;
  }
  return {};
}

/// Returns how to mend missing halves.
std::string mend_of(const fs::path& folder, const std::vector<std::string>& halves) {
  std::vector<std::string> meant;
  std::vector<std::string> due;
  for (const std::string& half : halves) {
    const std::string name = intended_half(folder, half);
    if (name.empty()) continue;
    meant.push_back(name);
    due.push_back(half);
  }
  if (!meant.empty()) {
    return fmt::format("did you mean {}? rename {} to {}", fmt::join(meant, " and "),
                       meant.size() > 1 ? "them" : "it", fmt::join(due, " and "));
  }
  for (const std::string& name : class_folders(folder)) {
    if (is_image_folder(folder / name)) return "pass --data " + argument_text(folder / name);
  }
  const fs::path parent = fs::absolute(folder).lexically_normal().parent_path();
  if (halves.size() > 1 && is_image_folder(parent)) return "pass --data " + argument_text(parent);
  return fmt::format("put the images of each class into {}/CLASS",
                     fmt::join(halves, "/CLASS and "));
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

fs::path existing_half(const fs::path& folder, const std::string& half) {
  if (is_folder(folder / half)) return folder / half;
  throw user_error("data", "{} is missing ({}): {}", path_text(folder / half), names_found(folder),
                   mend_of(folder, {half}));
}

std::string mend_of_missing_halves(const fs::path& folder) {
  return fmt::format("{}: {}", names_found(folder), mend_of(folder, {"train", "test"}));
}

std::vector<std::string> class_folders(const fs::path& half) {
  std::vector<std::string> names;
  for (const fs::path& path : list_without_litter(half)) {
    if (is_folder(path)) names.push_back(path.filename().string());
  }
  return names;
}

void require_known_classes(const fs::path& half, const std::vector<std::string>& class_names) {
  for (const std::string& name : class_folders(half)) {
    if (std::find(class_names.begin(), class_names.end(), name) != class_names.end()) continue;
    const std::string meant = closest(name, class_names);
    throw user_error(
        "data", "{} has a folder '{}' that is not one of the classes {}: {}", path_text(half),
        one_line(name), one_line(fmt::to_string(fmt::join(class_names, ", ")), 400),
        meant.empty() ? "remove it"
        : folded(meant) == folded(name) && meant.size() != name.size()
            ? fmt::format("did you mean '{}', which Unicode writes in other bytes? "
                          "rename it",
                          one_line(meant))
            : fmt::format("did you mean '{}'? rename it, or remove it", one_line(meant)));
  }
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

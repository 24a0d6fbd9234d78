#include "data/folder_files.h"

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <utility>

#include "base/fail.h"
#include "base/file_kind.h"
#include "base/files.h"
#include "base/random.h"
#include "base/text.h"
#include "data/class_folders.h"
#include "data/image_codecs.h"
#include "data/split.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

/// Returns the file's extension in lower case.
std::string ending_of(const fs::path& path) {
  return folded(path.extension().string());
}

bool has_image_ending(const fs::path& file) {
  constexpr std::array kEndings{".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"};
  return std::ranges::find(kEndings, ending_of(file)) != kEndings.end();
}

bool has_image_bytes(const fs::path& file) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return false;
  try {
    return kind_of(read_beginning(file, kKindBytes, "data")).of == FileKind::Of::picture;
  } catch (const Error&) {
    return false;  // not readable: counted as another file
  }
}

/// Calls visit(file) for each file in and below a folder, sorted, without litter; stops when it
/// returns false. Links may form a cycle, so each folder is visited once.
class Walk {
 public:
  explicit Walk(std::function<bool(const fs::path&)> visit) : visit_(std::move(visit)) {}

  bool walk(const fs::path& folder) {
    std::error_code ignored;
    if (!seen_.insert(fs::canonical(folder, ignored)).second) return true;
    for (const fs::path& entry : list_without_litter(folder)) {
      if (!(is_folder(entry) ? walk(entry) : visit_(entry))) return false;
    }
    return true;
  }

 private:
  std::function<bool(const fs::path&)> visit_;
  std::set<fs::path> seen_;
};

void leave_out(const fs::path& path, LeftOut& left_out) {
  const std::string ending = ending_of(path);
  ++left_out[ending.empty() ? "without an ending" : one_line(ending, 20)];
}

/// Lists the pictures of one class.
void list_class(const fs::path& folder, int label, FolderFiles& files) {
  Walk([&](const fs::path& path) {
    if (is_picture(path)) {
      files.images.push_back({path, label});
    } else {
      leave_out(path, files.left_out);
    }
    return true;
  }).walk(folder);
}

std::string kinds_in_words(const LeftOut& left_out) {
  std::vector<std::string> kinds;
  for (const auto& [kind, count] : left_out) kinds.push_back(fmt::format("{} {}", count, kind));
  return fmt::to_string(fmt::join(kinds, ", "));
}

void shuffle_in_place(std::vector<ImageFile>& files) {
  const RandomStream random(0, Purpose::order, 0, 0);
  for (std::size_t left = files.size(); left > 1; --left) {
    const auto n = static_cast<std::uint32_t>(left);
    std::swap(files[left - 1], files[RandomStream::below(random.bits(n)[0], n)]);
  }
}

}  // namespace

bool is_picture(const fs::path& file) {
  return has_image_ending(file) || has_image_bytes(file);
}

FolderFiles list_files(const fs::path& half, const std::vector<std::string>& class_names) {
  FolderFiles files;
  for (const fs::path& path : list_without_litter(half)) {
    if (!is_folder(path)) ++files.left_out["outside a class folder"];
  }
  for (std::size_t label = 0; label < class_names.size(); ++label) {
    const fs::path folder = half / class_names[label];
    if (is_folder(folder)) list_class(folder, static_cast<int>(label), files);
  }
  return files;
}

bool has_picture(const fs::path& folder) {
  int left = 10'000;
  bool found = false;
  Walk([&](const fs::path& path) {
    found = is_picture(path);
    return !found && --left > 0;
  }).walk(folder);
  return found;
}

std::size_t count_files(const fs::path& folder) {
  std::size_t files = 0;
  Walk([&](const fs::path&) {
    ++files;
    return true;
  }).walk(folder);
  return files;
}

std::string left_out_in_words(const LeftOut& left_out) {
  std::size_t files = 0;
  for (const auto& [kind, count] : left_out) files += count;
  if (files == 0) return {};
  return fmt::format("{} {} left out: {}", files, files == 1 ? "file" : "files",
                     kinds_in_words(left_out));
}

void require_images_of_each_class(const std::vector<ImageFile>& images, const fs::path& half,
                                  const std::vector<std::string>& class_names) {
  std::vector<bool> has(class_names.size());
  for (const ImageFile& image : images) has[image.label] = true;
  std::vector<std::string> missing;
  for (std::size_t label = 0; label < class_names.size(); ++label) {
    if (!has[label]) missing.push_back(class_names[label]);
  }
  if (missing.empty()) return;
  const fs::path folder = half / missing.front();
  FolderFiles others;
  if (is_folder(folder)) list_class(folder, 0, others);
  const std::string more =
      missing.size() == 1
          ? ""
          : one_line(
                fmt::format(" (nor have {})", fmt::join(missing.begin() + 1, missing.end(), ", ")),
                400);
  throw user_error(
      "data", "{} has no picture{}{}: add some, or delete the class in every half",
      path_text(folder),
      others.left_out.empty() ? "" : fmt::format(", but {}", kinds_in_words(others.left_out)),
      more);
}

std::vector<ImageFile> choose(std::vector<ImageFile> images, std::size_t wanted,
                              bool is_stratified) {
  shuffle_in_place(images);
  if (!is_stratified) {
    images.resize(wanted);
    return images;
  }
  std::vector<int> labels;
  for (const ImageFile& image : images) labels.push_back(image.label);
  std::vector<ImageFile> sample;
  for (const std::size_t row : stratified(labels, wanted)) sample.push_back(std::move(images[row]));
  // The classes that are full early are missing at the end, of which validation images are taken.
  if (wanted < labels.size()) shuffle_in_place(sample);
  return sample;
}

}  // namespace sluice

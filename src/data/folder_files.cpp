#include "data/folder_files.h"

#include <utility>

#include "base/fail.h"
#include "base/files.h"
#include "base/random.h"
#include "base/text.h"
#include "data/class_folders.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

/// Returns the file's extension in lower case.
std::string ending_of(const fs::path& path) {
  return folded(path.extension().string());
}

bool is_image_ending(const std::string& ending) {
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

std::size_t count_files(const fs::path& folder) {
  std::size_t files = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code ignored;
    if (is_litter(it->path())) {
      it.disable_recursion_pending();
    } else if (it->is_regular_file(ignored)) {
      ++files;
    }
  }
  return files;
}

void leave_out(const fs::path& path, LeftOut& left_out) {
  if (is_folder(path)) {
    if (const std::size_t files = count_files(path); files > 0) {
      left_out["in folders below a class"] += files;
    }
    return;
  }
  const std::string ending = ending_of(path);
  ++left_out[ending.empty() ? "without an ending" : one_line(ending, 20)];
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

FolderFiles list_files(const fs::path& half, const std::vector<std::string>& class_names) {
  require_known_classes(half, class_names);
  FolderFiles files;
  for (const fs::path& path : list_without_litter(half)) {
    if (!is_folder(path)) ++files.left_out["outside a class folder"];
  }
  for (std::size_t label = 0; label < class_names.size(); ++label) {
    const fs::path folder = half / class_names[label];
    if (!is_folder(folder)) continue;
    for (fs::path& path : list_without_litter(folder)) {
      if (is_image_ending(ending_of(path))) {
        files.images.push_back({std::move(path), static_cast<int>(label)});
      } else {
        leave_out(path, files.left_out);
      }
    }
  }
  return files;
}

std::string left_out_in_words(const LeftOut& left_out) {
  std::size_t files = 0;
  for (const auto& [kind, count] : left_out) files += count;
  if (files == 0) return {};
  return fmt::format("{} {} left out: {} (.jpg, .jpeg and .png in a class folder are read)", files,
                     files == 1 ? "file" : "files", kinds_in_words(left_out));
}

void require_images_of_each_class(const std::vector<ImageFile>& images, const fs::path& half,
                                  const std::vector<std::string>& class_names) {
  std::vector<bool> has(class_names.size());
  for (const ImageFile& image : images) has[image.label] = true;
  for (std::size_t label = 0; label < class_names.size(); ++label) {
    if (has[label]) continue;
    const fs::path folder = half / class_names[label];
    LeftOut others;
    if (is_folder(folder)) {
      for (const fs::path& path : list_without_litter(folder)) leave_out(path, others);
    }
    throw user_error("data",
                     "{} has no .jpg, .jpeg or .png file{}: add some, or delete the class in train "
                     "and in test",
                     path_text(folder),
                     others.empty() ? "" : fmt::format(", but {}", kinds_in_words(others)));
  }
}

std::vector<ImageFile> choose(std::vector<ImageFile> images, std::size_t wanted,
                              std::size_t classes) {
  shuffle_in_place(images);
  std::vector<std::size_t> taken(classes, 0);
  for (std::size_t i = 0; i < wanted; ++i) ++taken[images[i].label];
  for (std::size_t i = wanted, last = wanted; i < images.size(); ++i) {
    if (taken[images[i].label] > 0) continue;
    while (last > 0 && taken[images[last - 1].label] < 2) --last;
    if (last == 0) break;  // fewer images than classes
    --taken[images[last - 1].label];
    ++taken[images[i].label];
    std::swap(images[last - 1], images[i]);
  }
  images.resize(wanted);
  return images;
}

}  // namespace sluice

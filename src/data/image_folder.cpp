#include "data/image_folder.h"

#include <algorithm>
#include <utility>

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"
#include "data/class_folders.h"
#include "data/decode_files.h"
#include "data/folder_files.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

/// Lists the images of one half to be read; adds other files to `left_out`.
std::vector<ImageFile> list_half(const fs::path& half, const std::vector<std::string>& class_names,
                                 int wanted, const std::string& key, LeftOut& left_out) {
  FolderFiles found = list_files(half, class_names);
  for (const auto& [kind, count] : found.left_out) left_out[kind] += count;
  const std::size_t count = subset_size(wanted, found.images.size(), key, path_text(half));
  return choose(std::move(found.images), count, class_names.size());
}

/// Throws Error (user) if every training image of a class is broken.
void require_whole_images(const DecodedFiles& train, const fs::path& folder,
                          const std::vector<std::string>& class_names) {
  std::vector<std::size_t> all(class_names.size());
  std::vector<std::size_t> whole(class_names.size());
  for (std::size_t row = 0; row < train.files.size(); ++row) {
    ++all[train.files[row].label];
    if (train.faults[row].empty()) ++whole[train.files[row].label];
  }
  for (std::size_t label = 0; label < class_names.size(); ++label) {
    if (whole[label] > 0) continue;
    throw user_error(
        "data",
        "data.skip_broken leaves no training image of '{}', because {}: replace some of "
        "{}, or delete the class in train and in test",
        one_line(class_names[label]), broken_in_words({&train}, folder),
        path_text(folder / "train" / class_names[label]));
  }
}

void tell(const DataEvents& events, const std::string& line) {
  if (events.say && !line.empty()) events.say("data: " + line);
}

}  // namespace

bool is_image_folder(const fs::path& folder) {
  return is_folder(folder / "train") || is_folder(folder / "test");
}

std::vector<std::string> list_image_classes(const fs::path& folder) {
  std::vector<std::string> names = class_folders(existing_half(folder, "train"));
  if (names.size() < 2) {
    throw user_error("data", "{} has {}: put the images of each of two or more classes in one",
                     path_text(folder / "train"),
                     names.empty() ? "no class folder" : "one class folder");
  }
  return names;
}

Dataset read_image_folder(const fs::path& folder, const std::vector<std::string>& class_names,
                          const DataOptions& options, const DataEvents& events, Halves halves) {
  Dataset data;
  std::error_code ignored;
  data.name = fs::weakly_canonical(folder, ignored).filename().string();
  data.source = folder.string();
  data.class_names = class_names;
  // Lists both halves before decoding, which can take minutes.
  std::vector<ImageFile> train;
  if (halves == Halves::both) {
    const fs::path half = existing_half(folder, "train");
    existing_half(folder, "test");
    require_one_of_each_class(options.train_images, class_names.size());
    train = list_half(half, class_names, options.train_images, "data.train_images", data.left_out);
    require_images_of_each_class(train, half, class_names);
  }
  std::vector<ImageFile> test = list_half(existing_half(folder, "test"), class_names,
                                          options.test_images, "data.test_images", data.left_out);
  tell(events, left_out_in_words(data.left_out));

  DecodedFiles decoded_train = decode_files(std::move(train), options, events);
  DecodedFiles decoded_test = decode_files(std::move(test), options, events);
  const std::string broken = broken_in_words({&decoded_train, &decoded_test}, folder);
  if (!broken.empty() && !options.skip_broken) {
    throw user_error("image",
                     "{}: {}: replace or delete them, or leave them out with --set "
                     "data.skip_broken=true",
                     path_text(folder), broken);
  }
  if (!broken.empty()) {
    tell(events, "broken images are left out: " + broken);
    data.left_out["broken"] = count_broken(decoded_train) + count_broken(decoded_test);
  }
  if (halves == Halves::both) require_whole_images(decoded_train, folder, class_names);
  data.train = whole_images(std::move(decoded_train), folder);
  data.test = whole_images(std::move(decoded_test), folder);
  return data;
}

}  // namespace sluice

#include "data/image_folder.h"

#include <utility>

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"
#include "data/listing.h"
#include "data/problems.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

void require_train(const FolderLayout& layout) {
  if (!layout.train.empty()) return;
  throw user_error("data", "{} has no training half, but {}: put the images of each class into {}",
                   path_text(layout.folder), path_text(layout.test.filename()),
                   path_text(layout.folder / "train/CLASS"));
}

/// Counts the files beside the halves.
void count_others(const FolderLayout& layout, LeftOut& left_out) {
  if (layout.folder == layout.train) return;  // list_files() counts them
  for (const fs::path& path : list_without_litter(layout.folder)) {
    if (path == layout.train || path == layout.validation || path == layout.test) continue;
    const std::size_t files = is_folder(path) ? count_files(path) : 1;
    if (files > 0) left_out["beside the halves"] += files;
  }
}

/// Reports two or three class folders that all have the same folders: halves of another name look
/// like that.
void tell_of_halves(const FolderLayout& layout, const DataEvents& events) {
  if (layout.folder != layout.train || !events.say) return;
  const std::vector<std::string> names = class_folders(layout.train);
  const std::vector<std::string> first = class_folders(layout.train / names.front());
  if (names.size() > 3 || first.size() < 2) return;
  for (const std::string& name : names) {
    if (class_folders(layout.train / name) != first) return;
  }
  events.say(one_line(
      fmt::format("data: the classes {} have the same folders ({}): if they are halves, name them "
                  "train and test",
                  fmt::join(names, " and "), fmt::join(first, ", ")),
      400));
}

}  // namespace

std::vector<std::string> list_image_classes(const FolderLayout& layout) {
  require_train(layout);
  std::vector<std::string> names = class_folders(layout.train);
  if (names.size() < 2) {
    throw user_error("data", "{} has {}: put the images of each of two or more classes in one",
                     path_text(layout.train),
                     names.empty() ? "no class folder" : "one class folder");
  }
  return names;
}

Dataset read_image_folder(const FolderLayout& layout, const std::vector<std::string>& class_names,
                          const DataOptions& options, const DataEvents& events, Halves halves) {
  if (halves == Halves::both || layout.test.empty()) require_train(layout);
  Listing listing;
  std::error_code ignored;
  listing.name = fs::weakly_canonical(layout.folder, ignored).filename().string();
  listing.folder = layout.folder;
  listing.classes = layout.train;
  listing.class_names = class_names;
  listing.has_validation = !layout.validation.empty();
  listing.has_test = !layout.test.empty();
  const bool can_have_more = halves == Halves::both && options.set == "folder";
  const auto list = [&](const fs::path& half, std::vector<ImageFile>& files) {
    if (half.empty()) return;
    for (const std::string& unknown :
         unknown_classes(half, class_names, can_have_more ? layout.train : fs::path())) {
      report(events, DataProblem::Kind::no_class, user_error("data", "{}", unknown));
    }
    FolderFiles found = list_files(half, class_names);
    for (const auto& [kind, count] : found.left_out) listing.left_out[kind] += count;
    files = std::move(found.images);
  };
  // All halves are listed before decoding, which can take minutes.
  if (halves == Halves::both || !listing.has_test) list(layout.train, listing.train);
  if (halves == Halves::both) list(layout.validation, listing.validation);
  list(layout.test, listing.test);
  tell_of_halves(layout, events);
  count_others(layout, listing.left_out);
  if (events.problem) {
    for (const fs::path& litter : list_litter(layout.folder)) {
      events.problem(
          {DataProblem::Kind::litter, litter.lexically_relative(layout.folder).generic_string()});
    }
  }
  return read_listing(std::move(listing), options, events, halves);
}

}  // namespace sluice

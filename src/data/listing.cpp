#include "data/listing.h"

#include <algorithm>
#include <utility>

#include "base/fail.h"
#include "base/text.h"
#include "data/decode_files.h"
#include "data/split.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

void tell(const DataEvents& events, const std::string& line) {
  if (events.say && !line.empty()) events.say("data: " + line);
}

/// Moves a share of the files to the result.
std::vector<ImageFile> take_share(std::vector<ImageFile>& files, const fs::path& classes,
                                  double share, std::string_view purpose) {
  std::vector<std::string> names;
  std::vector<int> labels;
  for (const ImageFile& file : files) {
    names.push_back(file.path.lexically_relative(classes).generic_string());
    labels.push_back(file.label);
  }
  const std::vector<bool> is_off = split_off(names, labels, share, purpose);
  std::vector<ImageFile> taken;
  std::vector<ImageFile> left;
  for (std::size_t i = 0; i < files.size(); ++i) {
    (is_off[i] ? taken : left).push_back(std::move(files[i]));
  }
  files = std::move(left);
  return taken;
}

void split(Listing& listing, const DataOptions& options, const DataEvents& events) {
  require_one_validation(path_text(listing.folder), listing.has_validation, options);
  if (!listing.has_test) {
    const std::size_t all = listing.train.size();
    listing.test = take_share(listing.train, listing.classes, options.test_split, "test");
    tell(events, test_split_in_words(listing.test.size(), all));
  }
  if (options.validation_split > 0) {
    listing.validation =
        take_share(listing.train, listing.classes, options.validation_split, "validation");
  }
}

std::vector<ImageFile> sample(std::vector<ImageFile> files, int wanted, const std::string& key,
                              const std::string& where, bool is_stratified) {
  const std::size_t count = subset_size(wanted, files.size(), key, where);
  return choose(std::move(files), count, is_stratified);
}

/// Throws Error (user) if every training image of a class is broken. `broken` lists the files.
void require_whole_images(const DecodedFiles& train, const Listing& listing,
                          const std::string& broken) {
  std::vector<std::size_t> whole(listing.class_names.size());
  for (std::size_t row = 0; row < train.files.size(); ++row) {
    if (train.faults[row].empty()) ++whole[train.files[row].label];
  }
  for (std::size_t label = 0; label < whole.size(); ++label) {
    if (whole[label] > 0) continue;
    const std::string name = one_line(listing.class_names[label]);
    throw user_error("data",
                     "no training image of '{}' can be read: {}: replace some of '{}', or delete "
                     "the class in every half",
                     name, broken, name);
  }
}

}  // namespace

void require_one_validation(const std::string& place, bool has_validation,
                            const DataOptions& options) {
  if (!has_validation || options.validation_split == 0) return;
  throw user_error("data",
                   "data.validation_split = {}, but {} has validation images of its own: leave out "
                   "the key, or move those images to the training half",
                   options.validation_split, place);
}

std::string test_split_in_words(std::size_t test, std::size_t all) {
  return fmt::format("no test half: {} of {} pictures test, chosen by name (data.test_split)", test,
                     all);
}

Dataset read_listing(Listing listing, const DataOptions& options, const DataEvents& events,
                     Halves halves) {
  Dataset data;
  data.name = listing.name;
  data.source = listing.folder.string();
  if (!listing.place.empty()) data.place = fs::absolute(listing.place).lexically_normal().string();
  data.class_names = listing.class_names;
  data.left_out = listing.left_out;
  tell(events, left_out_in_words(data.left_out));
  if (halves == Halves::both) {
    require_one_of_each_class(options.train_images, listing.class_names.size());
    if (!events.problem) {  // else check_data() reports them
      require_images_of_each_class(listing.train, listing.classes, listing.class_names);
    }
  }
  split(listing, options, events);
  if (halves == Halves::test) {
    listing.train.clear();
    listing.validation.clear();
  }
  const std::string place = path_text(listing.folder);
  const bool is_stratified = options.set != "cifar-10";  // of which the lab takes the first
  const auto decode = [&](std::vector<ImageFile> files, int wanted, const char* key) {
    return decode_files(sample(std::move(files), wanted, key, place, is_stratified), options,
                        events);
  };
  const int wanted = halves == Halves::both ? options.train_images : 0;
  DecodedFiles train = decode(std::move(listing.train), wanted, "data.train_images");
  DecodedFiles validation = decode(std::move(listing.validation), 0, "");
  DecodedFiles test = decode(std::move(listing.test), options.test_images, "data.test_images");
  const std::string broken = broken_in_words({&train, &validation, &test}, listing.folder);
  if (!broken.empty() && events.problem) {
    report_broken({&train, &validation, &test}, listing.folder, events);
  } else if (!broken.empty()) {
    if (halves == Halves::both) require_whole_images(train, listing, broken);
    if (!options.skip_broken) {
      throw user_error("image",
                       "{}: {}: replace or delete them, or leave them out with --set "
                       "data.skip_broken=true",
                       path_text(listing.folder), broken);
    }
    tell(events, "broken images are left out: " + broken);
  }
  if (!broken.empty()) {
    data.left_out["broken"] = count_broken(train) + count_broken(validation) + count_broken(test);
  }
  data.train = whole_images(std::move(train), listing.folder);
  data.validation = whole_images(std::move(validation), listing.folder);
  data.test = whole_images(std::move(test), listing.folder);
  return data;
}

}  // namespace sluice

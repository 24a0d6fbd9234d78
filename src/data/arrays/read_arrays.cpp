#include "data/arrays/read_arrays.h"

#include <algorithm>
#include <utility>

#include "base/fail.h"
#include "base/text.h"
#include "data/listing.h"
#include "data/split.h"

namespace sluice {

namespace {

/// Keeps the rows, which ascend.
void keep_rows(LabelledImages& images, const std::vector<std::size_t>& rows) {
  const auto size = static_cast<std::ptrdiff_t>(element_count(images.shape));
  for (std::size_t to = 0; to < rows.size(); ++to) {
    if (rows[to] == to) continue;
    const auto from = static_cast<std::ptrdiff_t>(rows[to]);
    std::copy_n(images.pixels.begin() + from * size, size,
                images.pixels.begin() + static_cast<std::ptrdiff_t>(to) * size);
    images.labels[to] = images.labels[rows[to]];
  }
  images.labels.resize(rows.size());
  images.pixels.resize(rows.size() * static_cast<std::size_t>(size));
}

/// Moves a share of the rows to the result.
LabelledImages take_rows(LabelledImages& images, double share, std::string_view purpose) {
  std::vector<std::string> names;
  for (std::size_t row = 0; row < images.size(); ++row) names.push_back(fmt::to_string(row));
  const std::vector<bool> is_off = split_off(names, images.labels, share, purpose);
  std::vector<std::size_t> taken;
  std::vector<std::size_t> left;
  for (std::size_t row = 0; row < images.size(); ++row) {
    (is_off[row] ? taken : left).push_back(row);
  }
  LabelledImages part = images;
  keep_rows(part, taken);
  keep_rows(images, left);
  return part;
}

void sample_rows(LabelledImages& images, int wanted, const std::string& key,
                 const ArraySource& source, bool takes_first) {
  const std::size_t count = subset_size(wanted, images.size(), key, path_text(source.place));
  if (count == images.size()) return;
  std::vector<std::size_t> rows = stratified(images.labels, count);
  if (takes_first) {
    for (std::size_t row = 0; row < count; ++row) rows[row] = row;
  }
  keep_rows(images, rows);
}

/// Throws Error (user) if the images of the halves have different shapes, or labels no class.
void require_fitting(const Dataset& data, const std::string& place) {
  const auto classes = static_cast<int>(data.class_names.size());
  const Shape& shape = data.train.size() > 0 ? data.train.shape : data.test.shape;
  for (const LabelledImages* half : {&data.train, &data.validation, &data.test}) {
    if (half->size() > 0 && half->shape != shape) {
      throw user_error("data", "{} has images of {} and of {}: save them in one shape", place,
                       to_string(shape), to_string(half->shape));
    }
    const auto wrong =
        std::ranges::find_if(half->labels, [&](int label) { return label >= classes; });
    if (wrong != half->labels.end()) {
      throw user_error("data", "{} has the label {}, but {} classes: remove its images", place,
                       *wrong, classes);
    }
  }
}

}  // namespace

Dataset read_arrays(const ArraySource& source, const DataOptions& options, const DataEvents& events,
                    Halves halves) {
  const std::string place = path_text(source.place);
  Dataset data = source.read(halves);
  data.name = source.name;
  data.source = source.place.string();
  data.class_names = source.class_names();
  if (data.class_names.size() < 2) {
    throw user_error("data", "{} has labels of fewer than two classes: check the labels", place);
  }
  require_fitting(data, place);
  if (halves == Halves::both) {
    require_one_of_each_class(options.train_images, data.class_names.size());
  }
  require_one_validation(place, data.validation.size() > 0, options);
  if (data.test.size() == 0 && data.train.size() > 0) {
    const std::size_t all = data.train.size();
    data.test = take_rows(data.train, options.test_split, "test");
    if (events.say) events.say("data: " + test_split_in_words(data.test.size(), all));
  }
  const bool takes_first = options.set == "cifar-10";  // as the lab does
  if (halves == Halves::both) {
    sample_rows(data.train, options.train_images, "data.train_images", source, takes_first);
  } else {
    data.train = data.validation = {};
  }
  sample_rows(data.test, options.test_images, "data.test_images", source, takes_first);
  return data;
}

void split_validation(Dataset& data, const DataOptions& options) {
  data.validation = take_rows(data.train, options.validation_split, "validation");
}

}  // namespace sluice

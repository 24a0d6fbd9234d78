#include "data/loaded.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>

#include "base/digest.h"
#include "base/fail.h"
#include "base/text.h"
#include "data/class_folders.h"

namespace sluice {

namespace {

std::string classes_without(const LabelledImages& images,
                            const std::vector<std::string>& class_names) {
  const std::vector<std::size_t> counts = Examples(images, class_names).distribution();
  std::vector<std::string> missing;
  for (std::size_t label = 0; label < counts.size(); ++label) {
    if (counts[label] == 0) missing.push_back(class_names[label]);
  }
  return one_line(fmt::to_string(fmt::join(missing, ", ")), 400);
}

std::string name_of(const LabelledImages& images, std::size_t row, const char* half) {
  return images.files.empty() ? fmt::format("{} image {}", half, row) : images.files[row];
}

/// Rows of images by a checksum of their pixels; for equal images, the first row.
using RowBySum = std::unordered_map<std::uint64_t, std::size_t>;

std::uint64_t sum_of(const LabelledImages& images, std::size_t row) {
  const PixelView pixels = images.image(row);
  return quick_sum(pixels);
}

/// Reports equal images of a half with different labels, and returns all its rows.
RowBySum report_label_conflicts(const LabelledImages& images, const char* half, const Dataset& data,
                                const DataEvents& events) {
  RowBySum rows;
  rows.reserve(images.size());
  std::size_t contradictions = 0;
  std::string first;
  for (std::size_t row = 0; row < images.size(); ++row) {
    const auto [same, fresh] = rows.emplace(sum_of(images, row), row);
    if (fresh || images.labels[same->second] == images.labels[row]) continue;
    if (!std::ranges::equal(images.image(row), images.image(same->second))) continue;
    if (contradictions++ > 0) continue;
    first = fmt::format("{} is {}, as '{}' and as '{}'", name_of(images, row, half),
                        name_of(images, same->second, half), data.class_names[images.labels[row]],
                        data.class_names[images.labels[same->second]]);
  }
  if (contradictions > 0) {
    events.say(
        fmt::format("data: {} of {} {} images {} the same pixels as another but another label: {}",
                    contradictions, images.size(), half, contradictions == 1 ? "has" : "have",
                    printable(first)));
  }
  return rows;
}

void report_duplicates(const Dataset& data, const DataEvents& events) {
  const RowBySum train = report_label_conflicts(data.train, "train", data, events);
  report_label_conflicts(data.test, "test", data, events);
  std::size_t shared = 0;
  std::string first;
  for (std::size_t row = 0; row < data.test.size(); ++row) {
    const auto same = train.find(sum_of(data.test, row));
    if (same == train.end()) continue;
    if (!std::ranges::equal(data.test.image(row), data.train.image(same->second))) continue;
    if (shared++ > 0) continue;
    first = fmt::format("{} is {}", name_of(data.test, row, "test"),
                        name_of(data.train, same->second, "train"));
  }
  if (shared > 0) {
    events.say(fmt::format(
        "data: {} of {} test images {} in train too ({}): the test accuracy is inflated", shared,
        data.test.size(), shared == 1 ? "is" : "are", printable(first)));
  }
}

}  // namespace

void check_data(const Dataset& data, Halves halves, const DataEvents& events) {
  if (halves == Halves::both) {
    const std::string untrained = classes_without(data.train, data.class_names);
    if (!untrained.empty()) {
      throw user_error("data",
                       "{}: no training image of {} among {}: take more (data.train_images), or 0 "
                       "for all",
                       path_text(data.source), untrained, data.train.size());
    }
  }
  if (data.test.size() == 0) {
    throw user_error("data", "{} has no test image: put some of each class into test/CLASS",
                     path_text(data.source));
  }
  if (!events.say) return;
  const std::string untested = classes_without(data.test, data.class_names);
  if (!untested.empty()) {
    events.say(fmt::format("data: 0 test images of {}: these classes are not tested", untested));
  }
  if (halves != Halves::both) return;
  const std::string similar = similar_classes(data.class_names);
  if (!similar.empty()) {
    events.say(
        fmt::format("data: classes with similar names: {}: are they the same class?", similar));
  }
  report_duplicates(data, events);
}

}  // namespace sluice

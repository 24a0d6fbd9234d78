#include "data/loaded.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>

#include "base/digest.h"
#include "base/fail.h"
#include "base/text.h"
#include "data/class_folders.h"
#include "data/decoded_cache.h"
#include "data/problems.h"

namespace sluice {

namespace {

using Kind = DataProblem::Kind;

std::vector<std::string> classes_without(const LabelledImages& images,
                                         const std::vector<std::string>& class_names) {
  const std::vector<std::size_t> counts = Examples(images, class_names).distribution();
  std::vector<std::string> missing;
  for (std::size_t label = 0; label < counts.size(); ++label) {
    if (counts[label] == 0) missing.push_back(class_names[label]);
  }
  return missing;
}

std::string listed(const std::vector<std::string>& names) {
  return one_line(fmt::to_string(fmt::join(names, ", ")), 400);
}

/// Images of one half, under its name.
struct Half {
  Half(const char* its_name, const LabelledImages& its_images)
      : name(its_name), images(its_images) {
    sums.reserve(images.size());
    for (std::size_t row = 0; row < images.size(); ++row) {
      if (images.decoded) {  // has them: the images are not read
        sums.push_back(images.decoded->sum(row));
        continue;
      }
      const PixelView pixels = images.image(row);
      sums.push_back(quick_sum(pixels));
    }
  }

  std::string name_of(std::size_t row) const {
    return images.files.empty() ? fmt::format("{} image {}", name, row) : images.files[row];
  }

  const char* name;
  const LabelledImages& images;
  std::vector<std::uint64_t> sums;  ///< checksum of each image's pixels
};

/// Rows of a half by the checksums of their pixels; of equal images, the first row.
using RowBySum = std::unordered_map<std::uint64_t, std::size_t>;

/// Images of a kind that are the same as others, as they are found.
class Same {
 public:
  Same(Kind kind, const DataEvents& events) : kind_(kind), events_(events) {}

  void add(const std::string& what) {
    if (count_++ == 0) first_ = what;
    if (events_.problem) events_.problem({kind_, what});
  }
  std::size_t count() const { return count_; }
  std::string first() const { return printable(first_); }

 private:
  Kind kind_;
  const DataEvents& events_;
  std::size_t count_ = 0;
  std::string first_;
};

bool are_equal(const Half& a, std::size_t row, const Half& b, std::size_t other) {
  return std::ranges::equal(a.images.image(row), b.images.image(other));
}

/// Reports equal images of a half, and returns all its rows.
RowBySum report_copies(const Half& half, const Dataset& data, const DataEvents& events) {
  Same contradictions(Kind::other_label, events);
  Same copies(Kind::copy, events);
  RowBySum rows;
  rows.reserve(half.images.size());
  for (std::size_t row = 0; row < half.images.size(); ++row) {
    const auto [same, fresh] = rows.emplace(half.sums[row], row);
    if (fresh) continue;
    const int label = half.images.labels[row];
    const int other = half.images.labels[same->second];
    const bool is_told = label != other || events.problem;
    if (!is_told || !are_equal(half, row, half, same->second)) continue;
    const std::string what = fmt::format("{} is {}", half.name_of(row), half.name_of(same->second));
    if (label == other) {
      copies.add(what);
    } else {
      contradictions.add(fmt::format("{}, as '{}' and as '{}'", what, data.class_names[label],
                                     data.class_names[other]));
    }
  }
  if (contradictions.count() > 0 && !events.problem) {
    events.say(
        fmt::format("data: {} of {} {} images {} the same pixels as another but another label: {}",
                    contradictions.count(), half.images.size(), half.name,
                    contradictions.count() == 1 ? "has" : "have", contradictions.first()));
  }
  return rows;
}

/// Reports images that the training half has, too.
void report_shared(const Half& half, const Half& train, const RowBySum& rows,
                   const DataEvents& events) {
  Same shared(Kind::in_both_halves, events);
  for (std::size_t row = 0; row < half.images.size(); ++row) {
    const auto same = rows.find(half.sums[row]);
    if (same == rows.end() || !are_equal(half, row, train, same->second)) continue;
    shared.add(fmt::format("{} is {}", half.name_of(row), train.name_of(same->second)));
  }
  if (shared.count() == 0 || events.problem) return;
  events.say(
      fmt::format("data: {} of {} {} images {} in train too ({}): the {} accuracy is inflated",
                  shared.count(), half.images.size(), half.name, shared.count() == 1 ? "is" : "are",
                  shared.first(), half.name));
}

void report_duplicates(const Dataset& data, const DataEvents& events) {
  const Half train{"train", data.train};
  const Half validation{"validation", data.validation};
  const Half test{"test", data.test};
  const RowBySum rows = report_copies(train, data, events);
  report_copies(validation, data, events);
  report_copies(test, data, events);
  report_shared(validation, train, rows, events);
  report_shared(test, train, rows, events);
}

void report_untrained(const Dataset& data, const DataOptions& options, const DataEvents& events) {
  const std::vector<std::string> untrained = classes_without(data.train, data.class_names);
  if (untrained.empty()) return;
  if (!events.problem) {
    throw user_error("data", "{}: no training image of {} among {}: {}", path_text(data.source),
                     listed(untrained), data.train.size(),
                     options.train_images > 0 ? "take more (data.train_images), or 0 for all"
                                              : "add some, or delete the class in every half");
  }
  for (const std::string& name : untrained) events.problem({Kind::untrained, name});
}

void report_untested(const Dataset& data, const DataEvents& events) {
  if (data.test.size() == 0) {
    report(events, Kind::untested,
           user_error("data", "{} has no test image: put some of each class into test/CLASS",
                      path_text(data.source)));
    return;
  }
  const std::vector<std::string> untested = classes_without(data.test, data.class_names);
  if (untested.empty()) return;
  if (events.problem) {
    for (const std::string& name : untested) events.problem({Kind::untested, name});
  } else if (events.say) {
    events.say(fmt::format("data: 0 test images of {}: {} not tested", listed(untested),
                           untested.size() == 1 ? "this class is" : "these classes are"));
  }
}

}  // namespace

void check_data(const Dataset& data, const DataOptions& options, Halves halves,
                const DataEvents& events) {
  if (halves == Halves::both) report_untrained(data, options, events);
  report_untested(data, events);
  if (halves != Halves::both || (!events.say && !events.problem)) return;
  const std::string similar = similar_classes(data.class_names);
  if (!similar.empty() && events.problem) {
    events.problem({Kind::similar_names, similar});
  } else if (!similar.empty()) {
    events.say(
        fmt::format("data: classes with similar names: {}: are they the same class?", similar));
  }
  report_duplicates(data, events);
}

}  // namespace sluice

#include "sluice/dataset.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/fail.h"
#include "data/decoded_cache.h"

namespace sluice {

namespace {

/// Follows keras/src/trainers/data_adapters/array_slicing.py.
std::size_t split_at(std::size_t size, double share) {
  if (!(share >= 0 && share <= 1)) {
    throw user_error("data", "a share of {} of the examples: must be from 0 to 1", share);
  }
  return static_cast<std::size_t>(std::floor(static_cast<double>(size) * (1 - share)));
}

void require_image(std::size_t row, std::size_t labels, std::size_t values, std::size_t per_image) {
  if ((row + 1) * per_image <= values) return;
  throw user_error(
      "data", "there is no image {}: there are {} labels and {} values of pixels, {} per image",
      row, labels, values, per_image);
}

}  // namespace

PixelView LabelledImages::image(std::size_t row) const {
  const auto size = static_cast<std::size_t>(element_count(shape));
  if (decoded && row < labels.size()) {
    std::vector<std::uint8_t> own(size);
    decoded->read(row, own);
    return PixelView(std::move(own));
  }
  if (!viewed_values.empty()) {
    throw user_error("data", "these images are values, and bytes are needed: give uint8");
  }
  const std::span<const std::uint8_t> all = viewed_pixels.empty() ? pixels : viewed_pixels;
  require_image(row, labels.size(), all.size(), size);
  return PixelView(all.subspan(row * size, size));
}

void LabelledImages::copy_values(std::size_t row, std::span<float> values) const {
  if (viewed_values.empty()) {
    std::ranges::transform(image(row), values.begin(),
                           [](std::uint8_t pixel) { return static_cast<float>(pixel) / 255.F; });
    return;
  }
  require_image(row, labels.size(), viewed_values.size(), values.size());
  std::ranges::copy(viewed_values.subspan(row * values.size(), values.size()), values.begin());
}

Groups::Groups(std::vector<Group> groups, const std::vector<std::string>& class_names,
               const std::string& place)
    : groups_(std::move(groups)), group_of_class_(class_names.size(), -1) {
  if (groups_.empty()) return;
  if (groups_.size() < 2) {
    throw user_error("groups", "{}: a mixture needs at least two groups, not {}", place,
                     groups_.size());
  }
  const auto label_of = [&](const std::string& name, const Group& group) {
    const auto found = std::ranges::find(class_names, name);
    if (found == class_names.end()) {
      throw user_error("groups", "{}: group '{}' has the unknown class '{}': the classes are {}",
                       place, group.name, name, fmt::to_string(fmt::join(class_names, ", ")));
    }
    return static_cast<std::size_t>(found - class_names.begin());
  };
  std::map<std::string, int> seen;
  for (int g = 0; g < count(); ++g) {
    const Group& group = groups_[g];
    if (!seen.emplace(group.name, g).second) {
      throw user_error("groups", "{}: two groups are named '{}': rename one", place, group.name);
    }
    if (group.classes.empty()) {
      throw user_error("groups", "{}: group '{}' has no class: list at least one", place,
                       group.name);
    }
    for (const std::string& name : group.classes) {
      int& owner = group_of_class_[label_of(name, group)];
      if (owner >= 0) {
        throw user_error("groups", "{}: class '{}' is in '{}' and in '{}': leave it in one", place,
                         name, groups_[owner].name, group.name);
      }
      owner = g;
    }
  }
  for (std::size_t label = 0; label < class_names.size(); ++label) {
    if (group_of_class_[label] < 0) {
      throw user_error("groups", "{}: class '{}' is in no group: add it to one of {}", place,
                       class_names[label], fmt::to_string(fmt::join(names(), ", ")));
    }
  }
  for (int g = 0; g < count(); ++g) {
    std::vector<int>& also = also_.emplace_back();
    for (const std::string& name : groups_[g].also) {
      const auto label = static_cast<int>(label_of(name, groups_[g]));
      if (of_class(label) == g || std::ranges::find(also, label) != also.end()) {
        throw user_error("groups", "{}: group '{}' has class '{}' twice: leave it out of `also`",
                         place, groups_[g].name, name);
      }
      also.push_back(label);
    }
  }
}

bool Groups::has(int group, int label) const {
  require_group(group);
  const std::vector<int>& also = also_[static_cast<std::size_t>(group)];
  return of_class(label) == group || std::ranges::find(also, label) != also.end();
}

const std::string& Groups::name(int group) const {
  require_group(group);
  return groups_[static_cast<std::size_t>(group)].name;
}

int Groups::of_class(int label) const {
  if (label < 0 || label >= static_cast<int>(group_of_class_.size())) {
    throw user_error("groups", "there is no class {}: there are {}", label, group_of_class_.size());
  }
  return group_of_class_[static_cast<std::size_t>(label)];
}

void Groups::require_group(int group) const {
  if (group >= 0 && group < count()) return;
  throw user_error("groups", "there is no group {}: there are {}, from 0", group, count());
}

std::vector<std::string> Groups::names() const {
  std::vector<std::string> names;
  for (const Group& group : groups_) names.push_back(group.name);
  return names;
}

Examples::Examples(const LabelledImages& images, std::vector<std::string> class_names)
    : images_(&images), class_names_(std::move(class_names)), labels_(images.labels) {
  rows_.resize(images.size());
  for (std::uint32_t row = 0; row < rows_.size(); ++row) rows_[row] = row;
  const auto classes = static_cast<int>(class_names_.size());
  const auto wrong =
      std::ranges::find_if(labels_, [&](int label) { return label < 0 || label >= classes; });
  if (wrong != labels_.end()) {
    throw user_error("data", "image {} has the label {}, but there are {} classes",
                     wrong - labels_.begin(), *wrong, classes);
  }
  const auto is_weight = [](float weight) { return weight >= 0 && std::isfinite(weight); };
  if (!images.weights.empty() &&
      (images.weights.size() != images.size() || !std::ranges::all_of(images.weights, is_weight))) {
    throw user_error("data", "weights of images must be 0 or more, one for each of {} images",
                     images.size());
  }
}

std::size_t Examples::existing(std::size_t i) const {
  if (i < size()) return i;
  throw user_error("data", "there is no example {}: there are {}, from 0", i, size());
}

Examples Examples::of_group(const Groups& groups, int group) const {
  groups.require_group(group);
  Examples part = *this;
  part.rows_.clear();
  part.labels_.clear();
  for (std::size_t i = 0; i < size(); ++i) {
    if (!groups.has(group, label(i))) continue;
    part.rows_.push_back(rows_[i]);
    part.labels_.push_back(label(i));
  }
  return part;
}

Examples Examples::part(std::size_t begin, std::size_t end) const {
  Examples part = *this;
  part.rows_.assign(rows_.begin() + begin, rows_.begin() + end);
  part.labels_.assign(labels_.begin() + begin, labels_.begin() + end);
  return part;
}

Examples Examples::before_split(double share) const {
  return part(0, split_at(size(), share));
}

Examples Examples::after_split(double share) const {
  return part(split_at(size(), share), size());
}

Examples Examples::labelled_by_group(const Groups& groups) const {
  Examples same = *this;
  same.class_names_ = groups.names();
  for (int& label : same.labels_) label = groups.of_class(label);
  return same;
}

std::vector<std::size_t> Examples::distribution() const {
  std::vector<std::size_t> counts(class_names_.size(), 0);
  for (const int label : labels_) ++counts[label];
  return counts;
}

std::string balance_in_words(const Examples& examples) {
  constexpr double kBalanced = 1.5;
  const std::vector<std::size_t> counts = examples.distribution();
  int smallest = -1;
  int largest = -1;
  for (int label = 0; label < static_cast<int>(counts.size()); ++label) {
    if (counts[label] == 0) continue;
    if (smallest < 0 || counts[label] < counts[smallest]) smallest = label;
    if (largest < 0 || counts[label] > counts[largest]) largest = label;
  }
  if (smallest < 0) return "empty";
  const double ratio = static_cast<double>(counts[largest]) / static_cast<double>(counts[smallest]);
  if (ratio < kBalanced) return "balanced";
  return fmt::format("unbalanced: {} has {:.1f} times as many images as {}",
                     examples.class_names()[largest], ratio, examples.class_names()[smallest]);
}

}  // namespace sluice

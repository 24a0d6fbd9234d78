#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sluice/shape.h"

namespace sluice {

/// Pictures with one label each, all of one shape.
struct LabelledImages {
  Shape shape{32, 32, 3};            ///< {height, width, channels}, channels in the order R, G, B
  std::vector<std::uint8_t> pixels;  ///< (count, height, width, channels)
  std::vector<int> labels;           ///< (count), an index into Dataset::class_names

  std::size_t size() const { return labels.size(); }
  std::span<const std::uint8_t> image(std::size_t row) const;
};

struct Dataset {
  std::string name;    ///< what it is: "CIFAR-10", "built-in images", a folder's name
  std::string source;  ///< where it came from: a path, or "drawn by sluice"
  std::vector<std::string> class_names;
  LabelledImages train;
  LabelledImages test;
};

/// Classes that belong to named groups: every class to exactly one. The gate's output `i` is group
/// `i`, in declared order, everywhere.
class Groups {
 public:
  struct Group {
    std::string name;
    std::vector<std::string> classes;
  };

  /// Throws Error (user) naming the class that is unknown, in two groups or in none, or the group
  /// that is empty or declared twice. `place` is what the message starts with: the file and key.
  Groups(std::vector<Group> groups, const std::vector<std::string>& class_names,
         const std::string& place = "groups");

  int count() const { return static_cast<int>(groups_.size()); }
  const std::vector<Group>& declared() const { return groups_; }
  std::vector<std::string> names() const;
  const std::string& name(int group) const { return groups_[group].name; }
  int of_class(int label) const { return group_of_class_[label]; }
  /// The group of every class, by label.
  const std::vector<int>& of_classes() const { return group_of_class_; }

 private:
  std::vector<Group> groups_;
  std::vector<int> group_of_class_;
};

/// Rows of a LabelledImages with labels and class names of one's own: what a stage trains on. It
/// refers to the images, which must outlive it.
class Examples {
 public:
  /// Every row, with its own label.
  Examples(const LabelledImages& images, std::vector<std::string> class_names);

  /// The rows whose class belongs to `group`. Labels and class names stay those of the whole.
  Examples of_group(const Groups& groups, int group) const;
  /// The same rows, labelled with the group of their class: what the gate learns.
  Examples labelled_by_group(const Groups& groups) const;

  std::size_t size() const { return rows_.size(); }
  int label(std::size_t i) const { return labels_[i]; }
  std::span<const std::uint8_t> pixels(std::size_t i) const { return images_->image(rows_[i]); }
  const Shape& shape() const { return images_->shape; }
  const std::vector<std::string>& class_names() const { return class_names_; }
  /// How many examples each class has, by label.
  std::vector<std::size_t> distribution() const;

 private:
  const LabelledImages* images_;
  std::vector<std::string> class_names_;
  std::vector<std::uint32_t> rows_;
  std::vector<int> labels_;
};

/// "balanced", or in what way not: "unbalanced: frog has 3.2 times as many images as cat". Classes
/// with no example (another group's) are left out. Balanced means that the largest class has less
/// than 1.5 times the smallest.
std::string balance_in_words(const Examples& examples);

}  // namespace sluice

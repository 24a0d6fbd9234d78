#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "sluice/shape.h"

namespace [[gnu::visibility("default")]] sluice {

/// Pictures with one label each, all of one shape.
struct LabelledImages {
  Shape shape{32, 32, 3};            ///< {height, width, channels}, channels in the order R, G, B
  std::vector<std::uint8_t> pixels;  ///< (count, height, width, channels)
  std::vector<int> labels;           ///< (count), an index into Dataset::class_names
  /// (count), the file of each, relative to Dataset::source ("test/cat/1.jpg"); empty where
  /// pictures have no files of their own.
  std::vector<std::string> files{};

  std::size_t size() const { return labels.size(); }
  /// Throws Error (user) if there is none.
  std::span<const std::uint8_t> image(std::size_t row) const;
};

struct Dataset {
  std::string name;    ///< what it is: "CIFAR-10", "built-in images", a folder's name
  std::string source;  ///< where it came from: a path, or "drawn by sluice"
  std::vector<std::string> class_names;
  LabelledImages train;
  LabelledImages test;
  /// What load_data() finds it by again: an absolute path, or "builtin". Empty of other origin.
  std::string place{};
  /// How many files of its folder were not read, by kind: ".webp", "in folders below a class",
  /// "broken".
  std::map<std::string, std::size_t> left_out{};
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
  /// Throw Error (user) for a group or a class that there is not.
  const std::string& name(int group) const;
  int of_class(int label) const;
  void require_group(int group) const;
  /// The group of every class, by label.
  const std::vector<int>& of_classes() const { return group_of_class_; }

 private:
  std::vector<Group> groups_;
  std::vector<int> group_of_class_;
};

/// Rows of a LabelledImages with labels and class names of one's own: what a stage trains on. It
/// refers to the images, which must outlive it. What asks for a group, a share or an example that
/// there is not throws Error (user).
class Examples {
 public:
  /// Every row, with its own label. Throws Error (user) for a label that no class has.
  Examples(const LabelledImages& images, std::vector<std::string> class_names);
  Examples(const LabelledImages&&, std::vector<std::string>) = delete;

  /// The rows whose class belongs to `group`. Labels and class names stay those of the whole.
  Examples of_group(const Groups& groups, int group) const;
  /// The first floor(size() * (1 - share)) rows, and the rest, as Keras's
  /// fit(validation_split=share) divides its data.
  Examples before_split(double share) const;
  Examples after_split(double share) const;
  /// The same rows, labelled with the group of their class: what the gate learns.
  Examples labelled_by_group(const Groups& groups) const;

  std::size_t size() const { return rows_.size(); }
  int label(std::size_t i) const { return labels_[existing(i)]; }
  std::span<const std::uint8_t> pixels(std::size_t i) const {
    return images_->image(rows_[existing(i)]);
  }
  /// The picture's file, relative to Dataset::source; empty where it has none of its own.
  std::string file(std::size_t i) const {
    return images_->files.empty() ? std::string() : images_->files[rows_[existing(i)]];
  }
  const Shape& shape() const { return images_->shape; }
  const std::vector<std::string>& class_names() const { return class_names_; }
  /// How many examples each class has, by label.
  std::vector<std::size_t> distribution() const;

 private:
  Examples part(std::size_t begin, std::size_t end) const;
  std::size_t existing(std::size_t i) const;

  const LabelledImages* images_;
  std::vector<std::string> class_names_;
  std::vector<std::uint32_t> rows_;
  std::vector<int> labels_;
};

/// "balanced", or in what way not: "unbalanced: frog has 3.2 times as many images as cat". Classes
/// with no example (another group's) are left out. Balanced means that the largest class has less
/// than 1.5 times the smallest.
std::string balance_in_words(const Examples& examples);

// Where data comes from.

/// What an experiment asks for.
struct DataOptions {
  /// "cifar-10": ten known classes, downloaded or drawn where there is no copy. "folder": any
  /// images in DIR/train/<class>/ and DIR/test/<class>/; the classes are the folders' names,
  /// sorted.
  std::string set = "cifar-10";
  int train_images = 0;  ///< the first so many, at least one of each class; 0 for all
  int test_images = 0;
  bool skip_broken = false;  ///< leaves out images that cannot be read, in place of an error
};

/// What loading tells its caller and asks of it, on the calling thread. Each may be empty.
struct DataEvents {
  std::function<void(const std::string& line)> say;
  /// A download's bytes so far and in all (0 while unknown). An exception thrown here ends it.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;
  /// Of a folder's images, those that were read so far. An exception ends it, too.
  std::function<void(std::size_t done, std::size_t total)> images;
  /// Downloads CIFAR-10 where no copy is found, and returns its folder: fetch_cifar10() of
  /// sluice/exchange.h does. Is given these events. Empty: nothing is downloaded.
  std::function<std::filesystem::path(const DataEvents&)> download{};
};

/// The names of CIFAR-10's classes, by label.
const std::vector<std::string>& cifar10_class_names();

/// A place to look for data, and who named it.
struct DataPlace {
  DataPlace(const char* where) : path(where) {}
  DataPlace(std::string where, std::string who = "given with --data")
      : path(std::move(where)), named_by(std::move(who)) {}

  std::string path;  ///< a folder, "builtin" for the built-in images, or empty: none is named
  std::string named_by = "given with --data";  ///< who named it, for messages
  /// Whether built-in images may take the place of a CIFAR-10 that is not found.
  bool may_draw = true;
};

/// Finds and loads the data of an experiment. The place is the first of: `place` where it is named,
/// the environment's $SLUICE_DATA (likewise), the cache of an earlier download, a download where
/// `events` has one, and the built-in images; the last three for "cifar-10" only. A leading ~ is
/// the user's home. Says which it was and why, which files were left out, which classes have no
/// test image, and which pictures are there twice. Throws Error: user for a place that has not what
/// was asked for or a class without a training image, machine for a disk that cannot be read. A
/// download that fails is said, not thrown.
Dataset load_data(const DataOptions& options, const DataPlace& place, const DataEvents& events);

/// The same for the test half alone: `train` stays empty, and a folder needs no training half.
/// Labels follow `class_names`, those of the training.
Dataset load_test_data(const DataOptions& options, const std::vector<std::string>& class_names,
                       const DataPlace& place, const DataEvents& events);

/// The class names load_data() would give, without reading an image: what an experiment's groups
/// are checked against first. Throws Error (user) as load_data does.
std::vector<std::string> list_classes(const DataOptions& options, const DataPlace& place);

// Single pictures, for prediction and for samples.

/// A picture in colour.
struct Image {
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> pixels;  ///< (height, width, 3), in the order R, G, B
};

/// Reads a PNG or JPEG file; which of the two its first bytes say, not its name. Every kind becomes
/// 8-bit RGB: grey and palettes are spread out, 16 bits rounded to 8, transparent parts shown over
/// white, CMYK converted without a profile. A camera's note on orientation is ignored, as Keras
/// does. Refused before memory is taken: more than 64 megapixels, a side above 65,535. Throws Error
/// naming the file: user for one that is missing, broken, of another format (which is named) or too
/// large, machine for the disk. May be called from several threads.
Image read_image(const std::filesystem::path& path);

/// The whole image at another size; the aspect ratio is not kept, as in Keras's
/// image_dataset_from_directory. The same size is an exact copy. When shrinking, every pixel counts
/// (a triangle filter as wide as the ratio). Throws Error (user) for a size that no image can have,
/// or pixels that are not those of the image's size.
Image resized(const Image& image, int height, int width);

/// Writes (height, width, 3) pixels as a PNG file, over an old one; under another name until it is
/// whole. Throws Error: user if the sizes do not fit or the place is wrong, machine for the disk.
void write_png(const std::filesystem::path& path, std::span<const std::uint8_t> pixels, int height,
               int width);

}  // namespace sluice

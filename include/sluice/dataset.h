#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sluice/shape.h"

namespace sluice {
class DecodedImages;  // of the library alone: it is not exported
}

#pragma GCC visibility push(default)

namespace sluice {

/// Pixels of one image: a view of images in memory, or its own copy of an image on the disk.
class PixelView {
 public:
  explicit PixelView(std::span<const std::uint8_t> view) : view_(view) {}
  explicit PixelView(std::vector<std::uint8_t> own) : own_(std::move(own)), view_(own_) {}
  PixelView(PixelView&&) noexcept = default;
  PixelView(const PixelView&) = delete;

  operator std::span<const std::uint8_t>() const& { return view_; }
  operator std::span<const std::uint8_t>() const&& = delete;
  auto begin() const { return view_.begin(); }
  auto end() const { return view_.end(); }
  std::size_t size() const { return view_.size(); }
  std::uint8_t operator[](std::size_t i) const { return view_[i]; }

 private:
  std::vector<std::uint8_t> own_;
  std::span<const std::uint8_t> view_;
};

/// Images of one shape, each with one label.
struct LabelledImages {
  Shape shape{32, 32, 3};            ///< {height, width, channels}; channels R, G, B, or grey
  std::vector<std::uint8_t> pixels;  ///< (count, height, width, channels); empty if `decoded`
  std::vector<int> labels;           ///< (count), indices into Dataset::class_names
  /// (count), file of each image, relative to Dataset::source ("test/cat/1.jpg"); empty if images
  /// have no files of their own.
  std::vector<std::string> files{};
  /// Pictures whose pixels would take much of the memory stay in a file, which image() reads.
  std::shared_ptr<const DecodedImages> decoded{};
  // In place of `pixels`, memory of another owner that must outlive this, (count, height, width,
  // channels): bytes, or values as a model gets them, which cannot be augmented.
  std::span<const std::uint8_t> viewed_pixels{};
  std::span<const float> viewed_values{};
  std::vector<float> weights{};  ///< (count), of each image in the loss; empty if all are 1

  std::size_t size() const { return labels.size(); }
  /// Returns the pixels of an image, (height, width, channels). Throws Error: user if there is no
  /// such row or they are values, machine if the file of decoded pictures is damaged. May be called
  /// from several threads.
  PixelView image(std::size_t row) const;
  /// Copies a model's input: an image's pixels divided by 255, or its values. Throws as image().
  void copy_values(std::size_t row, std::span<float> values) const;
};

struct Dataset {
  std::string name;    ///< "CIFAR-10", "built-in images", a folder's name
  std::string source;  ///< a path, or "drawn by sluice"
  std::vector<std::string> class_names;
  LabelledImages train;
  LabelledImages test;
  /// Images to validate on, of data that has its own or splits them off; else empty.
  LabelledImages validation{};
  /// Place with which load_data() finds the data again: an absolute path or "builtin"; empty for
  /// data of another origin.
  std::string place{};
  /// Number of files of the folder that were not read, by kind: ".pdf", "outside a class folder",
  /// "broken".
  std::map<std::string, std::size_t> left_out{};
};

/// Named groups of classes. Every class belongs to exactly one group. The gate's output `i` is
/// group `i` of the declared order, everywhere. An experiment without groups trains one network;
/// its classes belong to group -1.
class Groups {
 public:
  struct Group {
    std::string name;
    std::vector<std::string> classes;
    /// Classes of other groups that its expert learns, too: those that a gate may send to it.
    std::vector<std::string> also = {};
  };

  /// Throws Error (user) that names a class that is unknown, in two groups or in none, or also in a
  /// group that has it, a group that is empty or declared twice, or a group that is the only one.
  /// The message starts with `place`: the file and key.
  Groups(std::vector<Group> groups, const std::vector<std::string>& class_names,
         const std::string& place = "groups");

  int count() const { return static_cast<int>(groups_.size()); }
  const std::vector<Group>& declared() const { return groups_; }
  std::vector<std::string> names() const;
  /// These throw Error (user) if the group or class does not exist.
  const std::string& name(int group) const;
  int of_class(int label) const;
  /// Whether the expert of a group learns a class.
  bool has(int group, int label) const;
  void require_group(int group) const;
  /// Group of each class, by label.
  const std::vector<int>& of_classes() const { return group_of_class_; }

 private:
  std::vector<Group> groups_;
  std::vector<int> group_of_class_;
  std::vector<std::vector<int>> also_;  ///< by group
};

/// Rows of a LabelledImages with their own labels and class names: what a stage trains on. It
/// refers to the images, which must outlive it. Members throw Error (user) for a group or example
/// that does not exist and a share out of range.
class Examples {
 public:
  /// Takes every row with its own label. Throws Error (user) for a label without a class, and for
  /// weights that are negative, not finite or not one for each image.
  Examples(const LabelledImages& images, std::vector<std::string> class_names);
  Examples(const LabelledImages&&, std::vector<std::string>) = delete;

  /// Returns the rows whose class the expert of `group` learns. Labels and class names do not
  /// change.
  Examples of_group(const Groups& groups, int group) const;
  /// Return the first floor(size() * (1 - share)) rows, and the rest, as Keras's
  /// fit(validation_split=share) splits its data.
  Examples before_split(double share) const;
  Examples after_split(double share) const;
  /// Returns the same rows, labelled with the group of their class, for the gate.
  Examples labelled_by_group(const Groups& groups) const;

  std::size_t size() const { return rows_.size(); }
  int label(std::size_t i) const { return labels_[existing(i)]; }
  const std::vector<int>& labels() const { return labels_; }
  PixelView pixels(std::size_t i) const { return images_->image(rows_[existing(i)]); }
  void copy_values(std::size_t i, std::span<float> values) const {
    images_->copy_values(rows_[existing(i)], values);
  }
  bool has_weights() const { return !images_->weights.empty(); }
  float weight(std::size_t i) const {
    return has_weights() ? images_->weights[rows_[existing(i)]] : 1;
  }
  /// Returns the image's file, relative to Dataset::source; empty if it has none of its own.
  std::string file(std::size_t i) const {
    return images_->files.empty() ? std::string() : images_->files[rows_[existing(i)]];
  }
  const Shape& shape() const { return images_->shape; }
  const std::vector<std::string>& class_names() const { return class_names_; }
  /// Returns the number of examples of each class, by label.
  std::vector<std::size_t> distribution() const;

 private:
  Examples part(std::size_t begin, std::size_t end) const;
  std::size_t existing(std::size_t i) const;

  const LabelledImages* images_;
  std::vector<std::string> class_names_;
  std::vector<std::uint32_t> rows_;
  std::vector<int> labels_;
};

/// Returns "balanced" if the largest class has less than 1.5 times the examples of the smallest,
/// else for example "unbalanced: frog has 3.2 times as many images as cat". Classes without
/// examples (those of other groups) do not count.
std::string balance_in_words(const Examples& examples);

/// Random changes of training images, in the order of the members. All except mixup
/// depend on seed, stage, image and epoch only, so an image looks the same in any batch, on any
/// thread and after a resume.
struct Augmentation {
  enum class Mirror {
    none,
    random,       ///< left and right exchanged in half of the images, chosen in each epoch
    alternating,  ///< as random in the first epoch, then exchanged again in every epoch
  };

  /// Smallest share of the image's area that is cut out and enlarged to the whole image, as by
  /// torchvision's RandomResizedCrop with scale (random_resized_crop, 1) and its default ratios,
  /// bilinear. 1 crops nothing.
  double random_resized_crop = 1;
  int shift = 0;  ///< largest shift along each axis, in pixels; the edges are reflected
  Mirror mirror = Mirror::none;
  /// Brightness and contrast are multiplied by a factor in [1 - x, 1 + x], as by torchvision's
  /// ColorJitter: contrast around the mean of the grey image.
  double brightness = 0;
  double contrast = 0;
  /// Side in pixels of a square with the mean colour of the training images, whose centre is any
  /// pixel (DeVries and Taylor 2017); 0 for none.
  int cutout = 0;
  /// Mixes each image of a batch, and its label, with the next one. The weight of the first is
  /// max(x, 1 - x) with x from Beta(mixup, mixup), one for each batch (Zhang et al. 2018). So an
  /// image then depends also on its batch. 0 mixes nothing.
  double mixup = 0;

  bool operator==(const Augmentation&) const = default;
  /// Whether anything is changed.
  bool any() const { return *this != Augmentation(); }
};

// Sources of data.

/// How a picture of another aspect ratio becomes an image of the wanted size.
enum class Resize {
  stretch,  ///< the whole picture, without its aspect ratio
  crop,     ///< the largest part in the middle that has the aspect ratio, as Keras's
            ///< crop_to_aspect_ratio
  /// The whole picture in the middle, on black: 0 is also what convolutions see outside the image
  /// (padding "same"), and the default of Keras's pad_to_aspect_ratio.
  pad,
};
/// "stretch", "crop", "pad"
std::string to_string(Resize resize);

/// How read_image() reads a file.
struct ReadOptions {
  bool exif_orientation = true;  ///< turns the picture as its EXIF orientation says
  /// Size in pixels of the image that the picture will be reduced to; 0 for none. A large JPEG is
  /// then decoded at 1/2, 1/4 or 1/8 of its size, but at least twice as large as this: faster, with
  /// a difference of a few grey levels after resizing.
  int height = 0;
  int width = 0;
};

/// Data of an experiment.
struct DataOptions {
  /// "cifar-10": the ten classes of CIFAR-10, downloaded or drawn if there is no copy. "cifar-100",
  /// "mnist", "fashion-mnist": these, in the place or where Keras keeps them. "folder": whatever
  /// the place has: pictures in a folder for each class, below train/, val/ and test/ or without a
  /// test half; a CSV file; NumPy's arrays; idx files; CIFAR. "csv": a CSV file of file and label.
  std::string set = "cifar-10";
  /// Number of images: the first ones of CIFAR-10; of other data a stratified sample, the same for
  /// every seed. 0 for all.
  int train_images = 0;
  int test_images = 0;
  /// Share of each class that becomes the test half of data that has none. The files' names decide,
  /// so that more files do not move others.
  double test_split = 0.2;
  /// Share of each class's other training images to validate on, chosen in the same way; 0 for
  /// none.
  double validation_split = 0;
  bool skip_broken = false;  ///< skips images that cannot be read, in place of an error
  /// Turns pictures as their EXIF orientation says. Keras does not.
  bool exif_orientation = true;
  int height = 32;  ///< of each image: pictures of another size are resized
  int width = 32;
  Resize resize = Resize::stretch;
  int channels = 3;  ///< 3: R, G, B; 1: grey

  /// Returns {height, width, channels}.
  Shape shape() const { return {height, width, channels}; }
  /// Returns how pictures are read, to become images of this size.
  ReadOptions reading() const { return {exif_orientation, height, width}; }
};

/// Something that is wrong with a data set.
struct DataProblem {
  enum class Kind {
    broken,          ///< a file that cannot be read
    no_class,        ///< a folder of a half that is not one of the classes
    untrained,       ///< a class without a training image
    untested,        ///< a class without a test image, or no test image at all
    in_both_halves,  ///< an image that another half has, too
    other_label,     ///< the same image as another of its half, with another label
    copy,            ///< the same image as another of its half and class
    similar_names,   ///< classes whose names differ in case or Unicode form alone
    litter,          ///< a file or folder that a system or an archiver left, which is ignored
  };

  Kind kind;
  std::string what;  ///< "train/cat/1.jpg is cut short"; may have any bytes of a file's name
};

/// Callbacks of load_data(), called on the calling thread. Each may be empty.
struct DataEvents {
  /// A line for the user.
  std::function<void(const std::string& line)> say;
  /// Bytes downloaded so far and in total (0 if unknown). An exception ends the download.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;
  /// Images of a folder read so far and in total. An exception ends loading.
  std::function<void(std::size_t done, std::size_t total)> images;
  /// Downloads CIFAR-10 if no copy is found, and returns its folder, as fetch_cifar10() of
  /// sluice/exchange.h does. The argument is this struct. If empty, nothing is downloaded.
  std::function<std::filesystem::path(const DataEvents&)> download{};
  /// Something that is wrong with the data. If it is set, loading reports every problem here and
  /// goes on without the images concerned, so that all problems can be shown; if it is empty, the
  /// first grave one is thrown as an Error. A class may then have no image, or a half none at all.
  std::function<void(const DataProblem& problem)> problem{};
};

/// Class names of CIFAR-10, by label.
const std::vector<std::string>& cifar10_class_names();

/// Class names of a DataOptions::set, by label; empty for "folder" and "csv", whose classes the
/// data has.
std::vector<std::string> class_names_of_set(const std::string& set);

/// A place to look for data, and the source of its name.
struct DataPlace {
  DataPlace(const char* where) : path(where) {}
  DataPlace(std::string where, std::string who = "given with --data")
      : path(std::move(where)), named_by(std::move(who)) {}

  std::string path;  ///< a folder, a file, "builtin" for built-in images, or empty for no place
  std::string named_by = "given with --data";  ///< for messages
  /// Whether built-in images may replace CIFAR-10 if it is not found.
  bool may_draw = true;
};

/// Finds and loads the data of an experiment. Uses the first of: `place` if not empty, the
/// environment variable SLUICE_DATA if not empty, the cache of an earlier download, a download if
/// `events` has one, and the built-in images; the last three only for "cifar-10". A leading ~ is
/// the user's home. Reports by `events.say` which data it uses and why, which files it did not
/// read, classes without test images and duplicate images; also a failed download, which is no
/// error. Throws Error: user if a place does not have the data or a class has no training image,
/// machine if the disk cannot be read.
Dataset load_data(const DataOptions& options, const DataPlace& place, const DataEvents& events);

/// Loads only the test images in the same way: `train` stays empty, and a folder needs no training
/// images. Labels are indices into `class_names`, the classes of the training.
Dataset load_test_data(const DataOptions& options, const std::vector<std::string>& class_names,
                       const DataPlace& place, const DataEvents& events);

/// Returns the class names that load_data() would give, without reading an image, to check an
/// experiment's groups before loading. Throws Error (user) as load_data() does.
std::vector<std::string> list_classes(const DataOptions& options, const DataPlace& place);

/// Where decoded pictures are kept, so that they are decoded once, and their size. The folder may
/// be deleted at any time.
struct DecodedPictures {
  std::filesystem::path folder;  ///< empty if the environment names no place
  std::uint64_t bytes = 0;
};
DecodedPictures decoded_pictures();

// Single images, for predictions and samples.

/// A colour image.
struct Image {
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> pixels;  ///< (height, width, 3), channels R, G, B
};

/// Reads a JPEG, PNG, WebP, BMP, GIF or TIFF file, of several frames or pages the first; its first
/// bytes identify the format, not its name. The result is 8-bit RGB, as Pillow's: grey and palette
/// images are expanded, 16 bits are rounded to 8, transparent parts are drawn over white in sRGB,
/// CMYK is converted without a profile, and gamma and colour profiles are ignored. Pictures of more
/// than 178,956,970 pixels, Pillow's limit, or with a side above 65,535 are refused before memory
/// is allocated. Throws Error that names the file: user if it is missing, broken, too large or of
/// another format (which the message names), machine if the disk fails. May be called from several
/// threads.
Image read_image(const std::filesystem::path& path, const ReadOptions& options = {});

/// What the header of a picture's file says.
struct PictureHeader {
  int height = 0;  ///< in pixels, as the picture is seen; 0 if it cannot be read
  int width = 0;
  int orientation = 1;  ///< of EXIF, 1 to 8: read_image() turns a picture unless it is 1
};

/// Reads the headers of pictures, on all threads, without decoding a pixel.
std::vector<PictureHeader> read_picture_headers(std::span<const std::filesystem::path> files);

/// Resizes the whole image; the aspect ratio is not kept, as in Keras's
/// image_dataset_from_directory. The same size gives an exact copy. Reduction uses a triangle
/// filter as wide as the ratio, so that every pixel contributes. Throws Error (user) if the size is
/// not possible, or if the number of pixels does not fit the image's size.
Image resized(const Image& image, int height, int width);

/// Returns the pixels of a picture as an image of a data set, (height, width, channels) = `shape`.
/// Grey is the luma of ITU-R BT.601, rounded as libjpeg does. Throws Error (user) as resized()
/// does, and for a shape that does not have 1 or 3 channels.
std::vector<std::uint8_t> fitted(const Image& image, const Shape& shape, Resize resize);

/// Returns an image of a data set, of 1 or 3 channels, as a picture.
Image picture_of(std::span<const std::uint8_t> pixels, const Shape& shape);

/// Writes (height, width, 3) pixels as a PNG file and replaces an existing one; the file has a
/// temporary name until it is complete. Throws Error: user if the sizes do not fit or the place is
/// wrong, machine if the disk fails.
void write_png(const std::filesystem::path& path, std::span<const std::uint8_t> pixels, int height,
               int width);

}  // namespace sluice

#pragma GCC visibility pop

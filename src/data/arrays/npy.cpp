#include "data/arrays/npy.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/fail.h"
#include "base/parallel.h"
#include "base/text.h"
#include "data/subset.h"

namespace sluice {

namespace {

static_assert(std::endian::native == std::endian::little);

Error unreadable(const std::string& name, std::string_view why) {
  return user_error("data", "{} {}", name, why);
}

/// Reads the header, a Python literal such as
/// "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }", and nothing else.
class HeaderReader {
 public:
  HeaderReader(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  std::string type;
  bool fortran = false;
  Shape shape;

  void read() {
    take("{");
    while (!is_next("}")) {
      const std::string key = quoted();
      take(":");
      if (key == "descr") {
        if (!is_next("'")) throw unreadable(name_, "has a structured type: save plain numbers");
        type = quoted();
      } else if (key == "fortran_order") {
        fortran = is_next("True");
        take(fortran ? "True" : "False");
      } else if (key == "shape") {
        read_shape();
      } else {
        refuse();
      }
      if (is_next(",")) take(",");
    }
  }

 private:
  [[noreturn]] void refuse() const {
    throw unreadable(name_, "has a damaged header: save it again with numpy.save");
  }
  bool is_next(std::string_view word) {
    text_.remove_prefix(std::min(text_.size(), text_.find_first_not_of(" \n")));
    return text_.starts_with(word);
  }
  void take(std::string_view word) {
    if (!is_next(word)) refuse();
    text_.remove_prefix(word.size());
  }
  std::string quoted() {
    take("'");
    const std::size_t end = text_.find('\'');
    if (end == std::string_view::npos) refuse();
    std::string word(text_.substr(0, end));
    text_.remove_prefix(end + 1);
    return word;
  }
  void read_shape() {
    constexpr std::size_t kMostAxes = 8;
    take("(");
    while (!is_next(")")) {
      std::int64_t side = 0;
      bool any = false;
      while (!text_.empty() && text_.front() >= '0' && text_.front() <= '9') {
        side = 10 * side + (text_.front() - '0');
        text_.remove_prefix(1);
        any = true;
        if (side > std::int64_t{1} << 40) refuse();
      }
      if (!any || shape.size() == kMostAxes) refuse();
      shape.push_back(side);
      if (is_next(",")) take(",");
    }
    take(")");
  }

  std::string_view text_;
  const std::string& name_;
};

template <class Number>
double number_at(std::string_view data, std::size_t i) {
  Number number;
  std::memcpy(&number, data.data() + i * sizeof number, sizeof number);
  return static_cast<double>(number);
}

bool is_supported(char kind, int item) {
  if (kind == 'b') return item == 1;
  if (kind == 'f') return item == 4 || item == 8;
  return (kind == 'u' || kind == 'i') && (item == 1 || item == 2 || item == 4 || item == 8);
}

}  // namespace

double NpyArray::value(std::size_t i) const {
  if (kind == 'f') return item == 4 ? number_at<float>(data, i) : number_at<double>(data, i);
  const bool has_sign = kind == 'i';
  switch (item) {
    case 1:
      return has_sign ? number_at<std::int8_t>(data, i) : number_at<std::uint8_t>(data, i);
    case 2:
      return has_sign ? number_at<std::int16_t>(data, i) : number_at<std::uint16_t>(data, i);
    case 4:
      return has_sign ? number_at<std::int32_t>(data, i) : number_at<std::uint32_t>(data, i);
    default:
      return has_sign ? number_at<std::int64_t>(data, i) : number_at<std::uint64_t>(data, i);
  }
}

NpyArray parse_npy(std::string_view file, const std::string& name) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  constexpr std::size_t kFixed = 10;
  if (!file.starts_with(kMagic) || file.size() < kFixed + 2) {
    throw unreadable(name, "is no array of NumPy (.npy), or is cut short: save it with numpy.save");
  }
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(file[i]); };
  const bool is_long = byte(6) > 1;  // the version
  std::size_t length = byte(8) | byte(9) << 8;
  if (is_long) length |= std::size_t{byte(10)} << 16 | std::size_t{byte(11)} << 24;
  const std::size_t begin = is_long ? kFixed + 2 : kFixed;
  if (byte(6) > 3 || length > file.size() - begin) {
    throw unreadable(name, "has a damaged header: save it again with numpy.save");
  }
  HeaderReader header(file.substr(begin, length), name);
  header.read();
  NpyArray array{name, 'u', 1, header.shape, file.substr(begin + length)};
  const std::string& type = header.type;  // "<f4": order, kind, bytes
  if (type.size() >= 2 && type[1] == 'O') {
    throw unreadable(name, "has Python objects, which are not read: save an array of numbers");
  }
  if (type.size() != 3 || type[0] == '>' || !is_supported(type[1], type[2] - '0')) {
    throw unreadable(
        name, fmt::format("has numbers of type '{}': save uint8 or float32", one_line(type, 20)));
  }
  array.kind = type[1];
  array.item = type[2] - '0';
  if (header.fortran && array.shape.size() > 1) {
    throw unreadable(name, "is in Fortran order: save numpy.ascontiguousarray of it");
  }
  std::uint64_t due = static_cast<std::uint64_t>(array.item);
  for (const std::int64_t side : array.shape) {
    if (side != 0 &&
        due > std::numeric_limits<std::uint64_t>::max() / 2 / static_cast<std::uint64_t>(side)) {
      throw unreadable(name, "has an impossible shape: save it again with numpy.save");
    }
    due *= static_cast<std::uint64_t>(side);
  }
  if (due != array.data.size()) {
    throw unreadable(name, fmt::format("has {} bytes of numbers, but its shape {} needs {}: save "
                                       "it again with numpy.save",
                                       array.data.size(), to_string(array.shape), due));
  }
  return array;
}

PixelRange range_of(const NpyArray& images) {
  if (images.kind == 'b') return PixelRange::unit;
  const std::size_t count = images.data.size() / static_cast<std::size_t>(images.item);
  if (images.kind == 'u' && images.item == 1) return PixelRange::bytes;
  double least = 0;
  double most = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double value = images.value(i);
    if (std::isnan(value)) {
      throw unreadable(images.name, "has values that are not a number (NaN): remove them");
    }
    least = std::min(least, value);
    most = std::max(most, value);
  }
  if (least < 0 || most > 255) {
    throw unreadable(images.name,
                     fmt::format("has pixels from {:.4g} to {:.4g}: save them from 0 to 255, or "
                                 "from 0 to 1, before any standardisation",
                                 least, most));
  }
  return images.kind == 'f' && most <= 1 ? PixelRange::unit : PixelRange::bytes;
}

LabelledImages images_of(const NpyArray& array, PixelRange range) {
  const Shape& shape = array.shape;
  const auto is_color = [](std::int64_t side) { return side == 1 || side == 3; };
  const bool last = shape.size() == 4 && is_color(shape[3]);
  const bool first = shape.size() == 4 && !last && is_color(shape[1]);
  if (shape.size() != 3 && !last && !first) {
    throw unreadable(array.name,
                     fmt::format("has the shape {}: images are (N, height, width), (N, height, "
                                 "width, 1 or 3) or (N, 1 or 3, height, width)",
                                 to_string(shape)));
  }
  LabelledImages images;
  const std::int64_t channels = last ? shape[3] : first ? shape[1] : 1;
  images.shape = {shape[first ? 2 : 1], shape[first ? 3 : 2], channels};
  for (const std::int64_t side : images.shape) {
    if (side >= 1 && side <= 65535) continue;
    throw unreadable(array.name, fmt::format("has images of {}: save images with pixels",
                                             to_string(images.shape)));
  }
  const std::size_t count = array.data.size() / static_cast<std::size_t>(array.item);
  require_memory_for_images(count);
  images.pixels.resize(count);
  const auto plane = static_cast<std::size_t>(images.shape[0] * images.shape[1]);
  const auto depth = static_cast<std::size_t>(channels);
  const double factor = range == PixelRange::unit ? 255 : 1;
  const bool is_bytes = array.kind == 'u' && array.item == 1;
  constexpr std::size_t kGrain = 1 << 16;
  parallel_for(count, kGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t from =
          !first ? i
                 : i / (depth * plane) * (depth * plane) + i % depth * plane + i / depth % plane;
      images.pixels[i] = is_bytes ? static_cast<std::uint8_t>(array.data[from])
                                  : static_cast<std::uint8_t>(std::lround(
                                        std::clamp(array.value(from) * factor, 0.0, 255.0)));
    }
  });
  return images;
}

std::vector<int> labels_of(const NpyArray& array) {
  const Shape& shape = array.shape;
  if (shape.size() == 2 && shape[1] > 1) {
    throw unreadable(array.name, fmt::format("has the shape {}: labels are one number for each "
                                             "image; save numpy.argmax(y, axis=1) of one-hot ones",
                                             to_string(shape)));
  }
  if (shape.empty() || shape.size() > 2) {
    throw unreadable(array.name, fmt::format("has the shape {}: labels are one number for each "
                                             "image",
                                             to_string(shape)));
  }
  constexpr double kMost = 9'999;
  std::vector<int> labels(array.data.size() / static_cast<std::size_t>(array.item));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double value = array.value(i);
    if (!(value >= 0 && value <= kMost && value == std::floor(value))) {
      throw unreadable(array.name, fmt::format("has the label {:.6g} for image {}: labels are "
                                               "whole numbers from 0 to {}",
                                               value, i, kMost));
    }
    labels[i] = static_cast<int>(value);
  }
  return labels;
}

}  // namespace sluice

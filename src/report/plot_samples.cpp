#include <fmt/format.h>

#include <algorithm>

#include "report/plots.h"
#include "report/text.h"

namespace sluice {

namespace {

constexpr int kPerRow = 10;
constexpr int kGap = 4;

/// A white RGB image.
class Sheet {
 public:
  Sheet(int width, int height) : width_(width), bytes_(std::size_t(3) * width * height, '\xff') {}

  /// Fills a square with the picture. Each pixel of the square gets the mean of the pixels that it
  /// covers: enlarging keeps pixels visible, shrinking uses all of them.
  void draw(int left, int top, int side, std::span<const std::uint8_t> picture,
            const Shape& shape) {
    for (int y = 0; y < side; ++y) {
      const auto [top_row, bottom_row] = covered(y, side, shape[0]);
      for (int x = 0; x < side; ++x) {
        const auto [first, last] = covered(x, side, shape[1]);
        for (int c = 0; c < 3; ++c) {
          std::int64_t sum = 0;
          for (std::int64_t row = top_row; row < bottom_row; ++row) {
            for (std::int64_t column = first; column < last; ++column) {
              // A grey picture has one channel.
              const std::int64_t channel = std::min<std::int64_t>(c, shape[2] - 1);
              sum += picture[(row * shape[1] + column) * shape[2] + channel];
            }
          }
          const std::int64_t count = (bottom_row - top_row) * (last - first);
          bytes_[std::size_t(3) * ((top + y) * width_ + left + x) + c] =
              static_cast<char>(sum / count);
        }
      }
    }
  }

  const std::string& bytes() const { return bytes_; }

 private:
  struct Range {
    std::int64_t begin;
    std::int64_t end;
  };
  static Range covered(std::int64_t place, std::int64_t places, std::int64_t pixels) {
    const std::int64_t begin = place * pixels / places;
    return {begin, std::max(begin + 1, (place + 1) * pixels / places)};
  }

  int width_;
  std::string bytes_;
};

}  // namespace

std::string samples_plot(const std::string& title, const Examples& examples) {
  const std::vector<std::size_t> counts = examples.distribution();
  std::vector<int> row_of_class(counts.size(), -1);
  std::vector<std::string> names;
  std::size_t most = 1;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    if (counts[c] == 0) continue;
    row_of_class[c] = static_cast<int>(names.size());
    names.push_back(name_on_picture(examples.class_names()[c]));
    most = std::max(most, counts[c]);
  }

  const int rows = std::max(1, static_cast<int>(names.size()));
  const int side = rows <= 24 ? 64 : 32;
  const int step = side + kGap;
  const int columns = static_cast<int>(std::min<std::size_t>(kPerRow, most));
  const int width = columns * step;
  const int height = rows * step;
  Sheet sheet(width, height);
  std::vector<int> drawn(rows, 0);
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const int row = row_of_class[examples.label(i)];
    if (drawn[row] == columns) continue;
    sheet.draw(drawn[row]++ * step + kGap / 2, row * step + kGap / 2, side, examples.pixels(i),
               examples.shape());
  }

  Canvas canvas{.left = longest_pixels(names, 11) + 24, .right = 24, .bottom = 20};
  fit_width(canvas, width, title);
  canvas.height = canvas.top + height + canvas.bottom;
  std::string script = begin_plot(
      canvas, title,
      fmt::format("the first of {}", images(static_cast<std::int64_t>(examples.size()))));
  // One unit is one pixel of the sheet and of the picture, so gnuplot does not smooth.
  script += fmt::format(
      "unset key\nunset border\nunset grid\nunset xtics\nset xrange [-0.5:{0}.5]\n"
      "set yrange [{1}.5:-0.5]\n",
      width - 1, height - 1);
  script += name_tics('y', names, "scale 0", step / 2, step);
  script +=
      fmt::format("plot '-' binary array=({},{}) format='%uchar' with rgbimage\n", width, height);
  return script + sheet.bytes() + "\n";
}

}  // namespace sluice

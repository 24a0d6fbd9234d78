#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "data/augment/augmenter.h"
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

  int width() const { return width_; }
  int height() const { return static_cast<int>(bytes_.size()) / (3 * width_); }
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

/// Draws a sheet with a name at each of its rows; columns are named by `column_tics`.
std::string sheet_plot(const Sheet& sheet, int step, const std::string& title,
                       const std::string& subtitle, const std::vector<std::string>& names,
                       const std::string& column_tics) {
  Canvas canvas{.left = longest_pixels(names, 11) + 24, .right = 24, .bottom = 20};
  if (!column_tics.empty()) canvas.bottom += 20;
  fit_width(canvas, sheet.width(), title);
  canvas.height = canvas.top + sheet.height() + canvas.bottom;
  std::string script = begin_plot(canvas, title, subtitle);
  // One unit is one pixel of the sheet and of the picture, so gnuplot does not smooth.
  script += fmt::format(
      "unset key\nunset border\nunset grid\nunset xtics\nset xrange [-0.5:{0}.5]\n"
      "set yrange [{1}.5:-0.5]\n",
      sheet.width() - 1, sheet.height() - 1);
  script += name_tics('y', names, "scale 0", step / 2, step) + column_tics;
  script += fmt::format("plot '-' binary array=({},{}) format='%uchar' with rgbimage\n",
                        sheet.width(), sheet.height());
  return script + sheet.bytes() + "\n";
}

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
  Sheet sheet(columns * step, rows * step);
  std::vector<int> drawn(rows, 0);
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const int row = row_of_class[examples.label(i)];
    if (drawn[row] == columns) continue;
    const PixelView pixels = examples.pixels(i);
    sheet.draw(drawn[row]++ * step + kGap / 2, row * step + kGap / 2, side, pixels,
               examples.shape());
  }
  return sheet_plot(
      sheet, step, title,
      fmt::format("the first of {}", images(static_cast<std::int64_t>(examples.size()))), names,
      "");
}

std::string augmentation_plot(const std::string& title, const Examples& examples,
                              const Augmentation& options, std::uint64_t seed,
                              std::uint32_t stage) {
  constexpr int kEpochs = 8;
  constexpr int kStep = 64 + kGap;
  const int rows = static_cast<int>(std::min<std::size_t>(8, examples.size()));
  Sheet sheet((1 + kEpochs) * kStep, rows * kStep);
  const auto draw = [&](int row, int column, std::span<const std::uint8_t> picture) {
    sheet.draw(column * kStep + kGap / 2, row * kStep + kGap / 2, kStep - kGap, picture,
               examples.shape());
  };
  Augmenter augmenter(options, examples, seed, stage);
  std::vector<float> values(static_cast<std::size_t>(element_count(examples.shape())));
  std::vector<std::uint8_t> picture(values.size());
  std::vector<std::string> names;
  std::vector<std::string> columns{"original"};
  for (int epoch = 1; epoch <= kEpochs; ++epoch) columns.push_back(fmt::format("epoch {}", epoch));
  for (int row = 0; row < rows; ++row) {
    names.push_back(name_on_picture(examples.class_names()[examples.label(row)]));
    const PixelView original = examples.pixels(row);
    draw(row, 0, original);
    for (int epoch = 1; epoch <= kEpochs; ++epoch) {
      augmenter.write(static_cast<std::uint32_t>(row), epoch, values);
      std::ranges::transform(values, picture.begin(), [](float value) {
        return static_cast<std::uint8_t>(std::lround(value * 255));
      });
      draw(row, epoch, picture);
    }
  }
  return sheet_plot(sheet, kStep, title, "the first images, as the first stage sees them", names,
                    name_tics('x', columns, "scale 0", kStep / 2, kStep));
}

}  // namespace sluice

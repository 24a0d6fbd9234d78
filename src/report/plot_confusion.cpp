#include <fmt/format.h>

#include <algorithm>

#include "report/confusion.h"
#include "report/plots.h"
#include "report/text.h"

namespace sluice {

namespace {

/// Smaller where there are more classes, so that the picture still fits a screen.
int cell_pixels(std::size_t classes) {
  return std::clamp(static_cast<int>(700 / classes), 12, 110);
}

}  // namespace

std::string confusion_plot(const std::string& title, const ConfusionMatrix& confusion) {
  const std::vector<int> labels = seen_classes(confusion);
  const int classes = static_cast<int>(labels.size());
  const int cell = cell_pixels(std::max<std::size_t>(1, labels.size()));
  const int points = std::clamp(cell / 4, 7, 13);
  const int name_points = std::min(points, 11);
  std::vector<std::string> names;
  int longest = 0;
  for (const int label : labels) {
    names.push_back(cut(printable(confusion.class_names()[label]), 24));
    longest = std::max(longest, text_pixels(names.back(), name_points));
  }

  const std::string subtitle =
      fmt::format("accuracy {} on {}", percent(confusion.accuracy()), images(confusion.total()));
  const int side = std::max(1, classes) * cell;
  Canvas canvas{.width = 0, .height = 0, .left = longest + 50, .right = 120, .bottom = 0};
  // As wide as the title needs, with the matrix in the middle of what is left.
  const int spare = std::max(540, text_pixels(title, 14) + 60) - canvas.left - side - canvas.right;
  canvas.left += std::max(0, spare) / 2;
  canvas.right += std::max(0, spare) / 2;
  canvas.width = canvas.left + side + canvas.right;
  // Names stand upright where they are wider than a cell.
  const bool upright = longest > cell - 6;
  canvas.bottom = (upright ? longest : 14) + 44;
  canvas.height = canvas.top + side + canvas.bottom;

  std::string script = "$cells << END\n";
  for (int row = 0; row < classes; ++row) {
    const auto support = static_cast<double>(confusion.support(labels[row]));
    for (int column = 0; column < classes; ++column) {
      const std::int64_t count = confusion.count(labels[row], labels[column]);
      const double share = support > 0 ? static_cast<double>(count) / support : 0;
      script += fmt::format("{} {} {:.2f} {} {}\n", column, row, 100 * share, count,
                            share > 0.5  ? 0xffffff
                            : count == 0 ? 0xa8b4c0
                                         : 0x222222);
    }
  }
  script += "END\n" + begin_plot(canvas, title, subtitle);
  script += fmt::format(
      "unset key\nunset grid\nset tics scale 0\nset xrange [-0.5:{0}.5]\nset yrange [{0}.5:-0.5]\n"
      // gnuplot would place axis labels by the default font's size, and so off the picture.
      "set label 3 'predicted' at graph 0.5, screen {6:.6f} center tc '{5}'\n"
      "set label 4 'true' at screen {7:.6f}, graph 0.5 center rotate tc '{5}'\n"
      "set palette defined (0 '#f7fbff', 10 '#deebf7', 30 '#9ecae1', 55 '#4292c6', 80 '#2171b5', "
      "100 '#08306b')\n"
      "set cbrange [0:100]\nset format cb '%.0f%%'\nset cbtics 25\n"
      "set colorbox vertical user origin {1:.6f},{2:.6f} size {3:.6f},{4:.6f} noborder\n",
      std::max(1, classes) - 1, 1 - (canvas.right - 24.0) / canvas.width,
      static_cast<double>(canvas.bottom) / canvas.height, 14.0 / canvas.width,
      static_cast<double>(side) / canvas.height, kInk, 16.0 / canvas.height,
      (canvas.left - longest - 30.0) / canvas.width);
  // The bar of a single class is shorter than its title.
  if (side >= 200) {
    script += fmt::format(
        "set label 5 'share of the true class' at screen {:.6f}, graph 0.5 center rotate tc '{}'\n",
        1 - (canvas.right - 100.0) / canvas.width, kInk);
  }
  script +=
      name_tics('x', names,
                fmt::format("{} font 'sans,{}'", upright ? "rotate by 90 right" : "", name_points));
  script += name_tics('y', names, fmt::format("font 'sans,{}'", name_points));
  script +=
      "set style fill solid border lc '#ffffff'\nplot $cells using "
      "1:2:($1-0.5):($1+0.5):($2-0.5):($2+0.5):3 with boxxyerror lw 1 lc palette";
  // Too small to be read otherwise.
  if (cell >= 22) {
    script += fmt::format(
        ", $cells using 1:2:4:5 with labels font 'sans,{}' center tc rgb variable", points);
  }
  return script + "\n";
}

}  // namespace sluice

#include <fmt/format.h>

#include <algorithm>

#include "report/confusion.h"
#include "report/plots.h"
#include "report/text.h"

namespace sluice {

namespace {

/// Positions in pixels. More classes get smaller cells, so that the picture fits a screen.
struct Layout {
  Layout(const std::string& title, const std::vector<std::string>& names)
      : classes(std::max(1, static_cast<int>(names.size()))),
        cell(std::clamp(700 / classes, 12, 110)),
        side(classes * cell),
        count_points(std::clamp(cell / 4, 7, 13)),
        name_points(std::min(count_points, 11)),
        longest(longest_pixels(names, name_points)),
        upright(longest > cell - 6),
        canvas{.left = longest + 50, .right = 120, .bottom = (upright ? longest : 14) + 44} {
    fit_width(canvas, side, title, 540);
    canvas.height = canvas.top + side + canvas.bottom;
  }

  /// Converts pixels to a share of the picture's width or height, for gnuplot's "screen".
  double x(double pixels) const { return pixels / canvas.width; }
  double y(double pixels) const { return pixels / canvas.height; }

  int classes;  ///< at least one
  int cell;
  int side;  ///< side of the matrix
  int count_points;
  int name_points;
  int longest;   ///< longest name
  bool upright;  ///< names below are vertical, because they are wider than a cell
  Canvas canvas;
};

/// Lists each cell's column, row, percent of its row, count, and colour of the count.
std::string cell_data(const ConfusionMatrix& confusion, const std::vector<int>& labels) {
  std::string data = "$cells << END\n";
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const auto support = static_cast<double>(confusion.support(labels[row]));
    for (std::size_t column = 0; column < labels.size(); ++column) {
      const std::int64_t count = confusion.count(labels[row], labels[column]);
      const double share = support > 0 ? static_cast<double>(count) / support : 0;
      const int colour = share > 0.5 ? 0xffffff : count == 0 ? 0xa8b4c0 : 0x222222;
      data += fmt::format("{} {} {:.2f} {} {}\n", column, row, 100 * share, count, colour);
    }
  }
  return data + "END\n";
}

std::string axes(const Layout& at) {
  return fmt::format(
      "unset key\nunset grid\nset tics scale 0\nset xrange [-0.5:{0}.5]\nset yrange [{0}.5:-0.5]\n"
      // gnuplot would place axis labels by the default font's size, outside the picture.
      "set label 3 'predicted' at graph 0.5, screen {1:.6f} center tc '{3}'\n"
      "set label 4 'true' at screen {2:.6f}, graph 0.5 center rotate tc '{3}'\n",
      at.classes - 1, at.y(16), at.x(at.canvas.left - at.longest - 30), kInk);
}

/// Draws the colour bar at the right.
std::string colour_bar(const Layout& at) {
  std::string script = fmt::format(
      "set palette defined (0 '#f7fbff', 10 '#deebf7', 30 '#9ecae1', 55 '#4292c6', 80 '#2171b5', "
      "100 '#08306b')\n"
      "set cbrange [0:100]\nset format cb '%.0f%%'\nset cbtics 25\n"
      "set colorbox vertical user origin {:.6f},{:.6f} size {:.6f},{:.6f} noborder\n",
      1 - at.x(at.canvas.right - 24), at.y(at.canvas.bottom), at.x(14), at.y(at.side));
  // With a single class, the bar is shorter than its title.
  if (at.side >= 200) {
    script += fmt::format(
        "set label 5 'share of the true class' at screen {:.6f}, graph 0.5 center rotate tc '{}'\n",
        1 - at.x(at.canvas.right - 100), kInk);
  }
  return script;
}

std::string class_names(const Layout& at, const std::vector<std::string>& names) {
  const std::string font = fmt::format("font 'sans,{}'", at.name_points);
  return name_tics('x', names, (at.upright ? "rotate by 90 right " : " ") + font) +
         name_tics('y', names, font);
}

std::string draw_cells(const Layout& at) {
  std::string script =
      "set style fill solid border lc '#ffffff'\nplot $cells using "
      "1:2:($1-0.5):($1+0.5):($2-0.5):($2+0.5):3 with boxxyerror lw 1 lc palette";
  // Smaller cells make the counts unreadable.
  if (at.cell >= 22) {
    script +=
        fmt::format(", $cells using 1:2:4:5 with labels font 'sans,{}' center tc rgb variable",
                    at.count_points);
  }
  return script + "\n";
}

}  // namespace

std::string confusion_plot(const std::string& title, const ConfusionMatrix& confusion) {
  const std::vector<int> labels = seen_classes(confusion);
  std::vector<std::string> names;
  for (const int label : labels) names.push_back(name_on_picture(confusion.class_names()[label]));
  const Layout at(title, names);
  const std::string subtitle =
      fmt::format("accuracy {} on {}", percent(confusion.accuracy()), images(confusion.total()));
  return cell_data(confusion, labels) + begin_plot(at.canvas, title, subtitle) + axes(at) +
         colour_bar(at) + class_names(at, names) + draw_cells(at);
}

}  // namespace sluice

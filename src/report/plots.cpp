#include "report/plots.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "report/gnuplot.h"
#include "report/text.h"

namespace sluice {

std::string begin_plot(const Canvas& canvas, const std::string& title,
                       const std::string& subtitle) {
  const auto x = [&](int pixels) { return static_cast<double>(pixels) / canvas.width; };
  const auto y = [&](int pixels) { return static_cast<double>(pixels) / canvas.height; };
  const auto room = static_cast<std::size_t>(canvas.width / 9);
  // noenhanced turns markup off, so that an underscore in a class name stays an underscore.
  std::string script = fmt::format(
      "set terminal pngcairo noenhanced size {},{} font 'sans,11' background '#ffffff'\n"
      "set encoding utf8\n"
      "set lmargin at screen {:.6f}\nset rmargin at screen {:.6f}\n"
      "set bmargin at screen {:.6f}\nset tmargin at screen {:.6f}\n",
      canvas.width, canvas.height, x(canvas.left), 1 - x(canvas.right), y(canvas.bottom),
      1 - y(canvas.top));
  script += fmt::format("set label 1 {} at screen 0.5,{:.6f} center font 'sans Bold,14' tc '{}'\n",
                        gnuplot_string(cut(title, room)), 1 - y(22), kInk);
  script += fmt::format("set label 2 {} at screen 0.5,{:.6f} center font 'sans,11' tc '#666666'\n",
                        gnuplot_string(subtitle), 1 - y(45));
  return script + fmt::format(
                      "set border lc '#999999'\nset tics textcolor '{0}' nomirror scale 0.5\n"
                      "set xlabel tc '{0}'\nset ylabel tc '{0}'\nset key tc '{0}'\n"
                      "set grid ytics lt 1 lw 1 lc '#e4e4e4'\n",
                      kInk);
}

int text_pixels(const std::string& text, int points) {
  // Measured with DejaVu Sans: a lower-case letter takes 0.8 pixels per point.
  return static_cast<int>(display_width(text)) * points * 8 / 10;
}

std::string name_on_picture(const std::string& class_name) {
  return cut(printable(class_name), 24);
}

int longest_pixels(const std::vector<std::string>& names, int points) {
  int longest = 0;
  for (const std::string& name : names) longest = std::max(longest, text_pixels(name, points));
  return longest;
}

void fit_width(Canvas& canvas, int plot, const std::string& title, int least) {
  const int wanted = std::max(least, text_pixels(title, 14) + 60);
  const int spare = std::max(0, wanted - canvas.left - plot - canvas.right);
  canvas.left += spare / 2;
  canvas.right += spare / 2;
  canvas.width = canvas.left + plot + canvas.right;
}

std::string name_tics(char axis, const std::vector<std::string>& names, const std::string& options,
                      int first, int step) {
  std::string script = fmt::format("set {}tics (", axis);
  for (std::size_t i = 0; i < names.size(); ++i) {
    // gnuplot reads the text of a tic as a format.
    std::string name = gnuplot_string(names[i]);
    for (std::size_t at = 0; (at = name.find('%', at)) != std::string::npos; at += 2) {
      name.insert(at, "%");
    }
    script += fmt::format("{}{} {}", i > 0 ? "," : "", name, first + static_cast<int>(i) * step);
  }
  return script + ") " + options + "\n";
}

}  // namespace sluice

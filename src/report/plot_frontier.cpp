#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/gnuplot.h"
#include "report/plots.h"
#include "report/text.h"

namespace sluice {

namespace {

using Kind = FrontierPoint::Kind;

/// A series of points: its title, style, and rows of x, accuracy and half of its interval.
struct Series {
  const char* title;
  const char* colour;
  int shape;
  bool is_line;
  std::string rows;
};

std::vector<Series> series_of(const std::vector<FrontierPoint>& points,
                              double (*x)(const FrontierPoint&)) {
  std::vector<Series> all{{"dense networks", kTrainingColour, 7, true, {}},
                          {"dense, more views", kTrainingColour, 6, false, {}},
                          {"mixture, other shares", kOtherColour, 6, true, {}},
                          {"no choice by image", "#888888", 2, false, {}},
                          {"mixture", kOtherColour, 5, false, {}}};
  std::vector<std::pair<double, const FrontierPoint*>> sorted;
  for (const FrontierPoint& point : points) sorted.emplace_back(x(point), &point);
  std::ranges::sort(sorted);
  for (const auto& [place, point] : sorted) {
    if (place <= 0) continue;  // it was not measured
    const std::size_t series = point->kind == Kind::mixture  ? 4
                               : point->kind == Kind::random ? 3
                               : point->kind == Kind::share  ? 2
                               : point->views == "one"       ? 0
                                                             : 1;
    all[series].rows += fmt::format("{:.6g} {:.6g} {:.6g}\n", place, 100 * point->test(),
                                    100 * (point->test_interval().high - point->test()));
  }
  std::erase_if(all, [](const Series& each) { return each.rows.empty(); });
  return all;
}

/// Names of the series above the panels: a key of gnuplot's is as narrow as its panel.
std::string names_of(const std::vector<Series>& all, const Canvas& canvas) {
  constexpr int kPoints = 11;
  constexpr int kGap = 40;
  int width = -kGap;
  for (const Series& each : all) width += text_pixels(each.title, kPoints) + kGap;
  int x = (canvas.width - width) / 2;
  std::string script;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Series& each = all[i];
    script += fmt::format(
        "set label {} '{}' at screen {:.5f},{:.5f} left tc '{}' point pt {} ps 1.3 lc '{}' "
        "offset 1.2,0\n",
        10 + i, each.title, static_cast<double>(x) / canvas.width,
        1 - (kHeadHeight + 8.0) / canvas.height, kInk, each.shape, each.colour);
    x += text_pixels(each.title, kPoints) + kGap;
  }
  return script;
}

/// Returns 1, 2 or 5 times a power of ten: the axis gets at most six labels.
double step_of_tics(double range) {
  const double least = range / 6;
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double times : {1, 2, 5}) {
    if (times * power >= least) return times * power;
  }
  return 10 * power;
}

/// One of the plots beside each other: its axis, the figure on it, and its place.
struct WorkPanel {
  const char* label;  ///< of the axis
  double (*x)(const FrontierPoint&);
  double left;
  double right;
  const char* accuracy;  ///< label of the other axis
};

std::string draw_panel(const std::vector<FrontierPoint>& points, const WorkPanel& panel) {
  double most = 0;
  for (const FrontierPoint& point : points) most = std::max(most, panel.x(point));
  if (most == 0) return "";
  const std::vector<Series> all = series_of(points, panel.x);
  std::string script = fmt::format(
      "set lmargin at screen {}\nset rmargin at screen {}\nset xlabel '{}'\nset ylabel '{}'\n"
      "set xrange [0:{:.6g}]\nset xtics {:.6g} format '%g'\n",
      panel.left, panel.right, panel.label, panel.accuracy, 1.06 * most, step_of_tics(most));
  std::string plot;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Series& each = all[i];
    script += fmt::format("$series{} << END\n{}END\n", i, each.rows);
    plot += fmt::format(
        "{} $series{} using 1:2:3 with yerrorbars pt {} ps {} lw 1.5 lc '{}' notitle",
        plot.empty() ? "plot" : ",", i, each.shape, each.is_line ? 1 : 1.4, each.colour);
    if (each.is_line) {
      plot += fmt::format(", $series{} using 1:2 with lines lw 2 lc '{}' notitle", i, each.colour);
    }
  }
  return script + plot + "\n";
}

}  // namespace

std::string frontier_plot(const Frontier& frontier) {
  const auto seeds = frontier.seeds.size();
  std::vector<FrontierPoint> points = frontier.points;
  for (FrontierPoint& point : points) {
    point.training_flops /= frontier.points.front().training_flops;
  }
  const Canvas canvas{1200, 500, 80, 20, kHeadHeight + 30, 60};
  std::string script =
      begin_plot(canvas, frontier.name + ": accuracy over work",
                 fmt::format("{}, mean of {} and its 95% interval", frontier.data_name,
                             seeds == 1 ? "one seed" : fmt::format("{} seeds", seeds)));
  script += names_of(series_of(points, [](const FrontierPoint&) { return 1.0; }), canvas);
  script +=
      "unset key\nset multiplot\nset format y '%g%%'\nset offsets 0, 0, graph 0.05, graph 0.05\n";
  script += draw_panel(points, {"MFLOP for an image",
                                [](const FrontierPoint& point) { return point.test_flops() / 1e6; },
                                0.07, 0.345, "test accuracy"});
  script += "unset label\n";
  script += draw_panel(
      points, {"latency of an image, ms",
               [](const FrontierPoint& point) { return point.latency_ms(); }, 0.405, 0.67, ""});
  script += draw_panel(
      points, {"training work, times the mixture’s",
               [](const FrontierPoint& point) { return point.training_flops; }, 0.73, 0.985, ""});
  return script + "unset multiplot\n";
}

}  // namespace sluice

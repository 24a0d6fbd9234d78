#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "report/plots.h"
#include "report/text.h"

namespace sluice {

namespace {

/// One panel: its figure, its position, and its two columns of $history.
struct Panel {
  const char* name;
  double left;
  double right;
  int column;  ///< training column; validation is the next
};

/// Returns a range with a margin around the values, also if all are equal, but never below zero for
/// losses or above 100% for accuracies.
std::string range(const std::vector<double>& values, double least_room, double most) {
  if (values.empty()) return "set yrange [0:1]\n";
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double room = std::max(least_room, 0.06 * (*high - *low));
  return fmt::format("set yrange [{:.6g}:{:.6g}]\n", std::max(0.0, *low - room),
                     std::min(most, *high + room));
}

/// Returns 1, 2, 5, 10, 20...: the axis gets at most eleven labels.
int epochs_per_tic(int epochs) {
  int step = 1;
  for (int i = 0; epochs > 11 * step; ++i) step = i % 3 == 1 ? step * 5 / 2 : step * 2;
  return step;
}

std::string draw(const Panel& panel, bool points) {
  const auto line = [&](int column, const char* colour, int shape, const char* title) {
    const std::string style = points ? fmt::format("linespoints pt {} ps 1", shape) : "lines";
    return fmt::format("$history using 1:{} with {} lw 2.2 lc '{}' title '{}'", column, style,
                       colour, title);
  };
  return fmt::format(
      "set lmargin at screen {}\nset rmargin at screen {}\nset ylabel '{}'\n"
      "plot {}, {}\n",
      panel.left, panel.right, panel.name, line(panel.column, kTrainingColour, 7, "training"),
      line(panel.column + 1, kOtherColour, 5, "validation"));
}

}  // namespace

std::string curves_plot(const std::string& title, const History& history) {
  const int epochs = static_cast<int>(history.epochs.size());
  std::string script = "$history << END\n";
  std::vector<double> losses;
  std::vector<double> accuracies;
  for (int e = 0; e < epochs; ++e) {
    const Epoch& epoch = history.epochs[e];
    script += fmt::format("{} {:.6g} {:.6g} {:.6g} {:.6g}\n", e + 1, epoch.loss, epoch.val_loss,
                          100 * epoch.accuracy, 100 * epoch.val_accuracy);
    losses.insert(losses.end(), {epoch.loss, epoch.val_loss});
    accuracies.insert(accuracies.end(), {100 * epoch.accuracy, 100 * epoch.val_accuracy});
  }
  script += "END\n";

  std::string subtitle = "no epoch";
  if (epochs > 0) {
    const Epoch& last = history.epochs.back();
    subtitle = fmt::format("after {}: accuracy {} in training, {} in validation",
                           epochs == 1 ? "one epoch" : fmt::format("{} epochs", epochs),
                           percent(last.accuracy), percent(last.val_accuracy));
  }
  script += begin_plot({1000, 450, 80, 20, kHeadHeight + 26, 60}, title, subtitle);
  // The key is above the panels, where no curve crosses it.
  script += "set key at graph 1, 1.09 right horizontal\n";
  script += fmt::format(
      "set xrange [0.5:{}.5]\nset xtics {} format '%.0f'\nset xlabel 'epoch'\nset multiplot\n",
      std::max(1, epochs), epochs_per_tic(epochs));
  const bool points = epochs <= 30;
  script += range(losses, 0.02, 1e30) + draw({"loss", 0.085, 0.48, 2}, points);
  script += "unset label\nset format y '%g%%'\n" + range(accuracies, 1, 100);
  return script + draw({"accuracy", 0.585, 0.98, 4}, points) + "unset multiplot\n";
}

}  // namespace sluice

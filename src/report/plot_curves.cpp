#include <fmt/format.h>

#include <algorithm>

#include "report/plots.h"
#include "report/text.h"

namespace sluice {

namespace {

/// One panel, with the columns of $history that it shows.
std::string panel(const char* name, int training, double left, double right, const char* key) {
  std::string script = fmt::format(
      "set lmargin at screen {}\nset rmargin at screen {}\nset ylabel '{}'\nset key {}\n", left,
      right, name, key);
  const auto lines = [](int column, const char* colour, int points, const char* title) {
    return fmt::format("$history using 1:{} with linespoints lw 2.2 pt {} ps 1 lc '{}' title '{}'",
                       column, points, colour, title);
  };
  return script + "plot " + lines(training, kTrainingColour, 7, "training") + ", " +
         lines(training + 1, kOtherColour, 5, "validation") + "\n";
}

}  // namespace

std::string curves_plot(const std::string& title, const History& history) {
  const int epochs = static_cast<int>(history.epochs.size());
  std::string subtitle = "no epoch";
  if (epochs > 0) {
    const Epoch& last = history.epochs.back();
    subtitle = fmt::format("after {}: accuracy {} in training, {} in validation",
                           epochs == 1 ? "one epoch" : fmt::format("{} epochs", epochs),
                           percent(last.accuracy), percent(last.val_accuracy));
  }
  std::string script = "$history << END\n";
  for (int e = 0; e < epochs; ++e) {
    const Epoch& epoch = history.epochs[e];
    script += fmt::format("{} {:.6g} {:.6g} {:.6g} {:.6g}\n", e + 1, epoch.loss, epoch.val_loss,
                          100 * epoch.accuracy, 100 * epoch.val_accuracy);
  }
  script += "END\n";
  script += begin_plot({1000, 430, 70, 20, kHeadHeight + 6, 60}, title, subtitle);
  const int step = std::max(1, (epochs + 9) / 10);
  script += fmt::format(
      "set xrange [0.5:{}.5]\nset xtics {},{} format '%.0f'\nset xlabel 'epoch'\n"
      "set offsets 0,0,graph 0.06,graph 0.06\nset multiplot\n",
      std::max(1, epochs), step, step);
  // gnuplot finds no range of its own without a point.
  if (epochs == 0) script += "set yrange [0:1]\n";
  // Loss falls and accuracy rises, so these corners stay free.
  script += panel("loss", 2, 0.07, 0.475, "top right");
  return script + "unset label\nset format y '%.0f%%'\n" +
         panel("accuracy", 4, 0.575, 0.98, "bottom right") + "unset multiplot\n";
}

}  // namespace sluice

#include <fmt/format.h>

#include <algorithm>

#include "report/plots.h"
#include "report/text.h"

namespace sluice {

std::string distribution_plot(const std::string& title, const Examples& train,
                              const Examples& test) {
  const std::vector<std::size_t> trained = train.distribution();
  const std::vector<std::size_t> tested = test.distribution();
  std::vector<std::string> names;
  std::string script = "$counts << END\n";
  for (std::size_t c = 0; c < trained.size(); ++c) {
    if (trained[c] + tested[c] == 0) continue;
    script += fmt::format("{} {} {}\n", names.size(), trained[c], tested[c]);
    names.push_back(name_on_picture(train.class_names()[c]));
  }
  script += "END\n";

  const int longest = longest_pixels(names, 11);
  const int classes = std::max(1, static_cast<int>(names.size()));
  const int slot = std::clamp(1500 / classes, 16, 100);
  const bool upright = longest > slot - 8;
  Canvas canvas{.left = 80, .right = 24};
  canvas.width = std::max(640, classes * slot + canvas.left + canvas.right);
  canvas.bottom = (upright ? longest : 14) + 24;
  canvas.height = 360 + canvas.top + canvas.bottom;

  const auto total = [](const Examples& examples) {
    return images(static_cast<std::int64_t>(examples.size()));
  };
  script += begin_plot(canvas, title,
                       fmt::format("{} for training, {} for testing", total(train), total(test)));
  script += fmt::format(
      "set xrange [-0.6:{}.6]\nset yrange [0:{}]\nset ylabel 'images'\n"
      "set offsets 0,0,graph 0.16,0\nset key top right horizontal\nset style fill solid\n"
      "set boxwidth 0.38\n",
      // Without a bar, gnuplot finds no range.
      classes - 1, names.empty() ? "1" : "*");
  script += name_tics('x', names, upright ? "scale 0 rotate by 90 right" : "scale 0");
  script += fmt::format(
      "plot $counts using ($1-0.2):2 with boxes lc '{}' title 'training', "
      "$counts using ($1+0.2):3 with boxes lc '{}' title 'test'",
      kTrainingColour, kOtherColour);
  // Counts do not fit above narrower bars.
  if (slot >= 60) {
    const auto counts = [](const char* place, int column) {
      return fmt::format(
          ", $counts using ($1{}):{}:{} with labels offset 0,0.6 font 'sans,9' tc '{}' notitle",
          place, column, column, kInk);
    };
    script += counts("-0.2", 2) + counts("+0.2", 3);
  }
  return script + "\n";
}

}  // namespace sluice

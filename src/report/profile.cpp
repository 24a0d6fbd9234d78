#include <fmt/format.h>

#include "report/text.h"
#include "sluice/lab/report.h"

namespace sluice {

namespace {

/// Formats six columns in a width of 80.
std::string profile_row(const std::string& layer, const std::string& algorithm,
                        const std::string& forward, const std::string& weights,
                        const std::string& data, const std::string& rate) {
  return fmt::format("{} {} {} {} {} {}\n", left(layer, 25), left(algorithm, 18), right(forward, 8),
                     right(weights, 8), right(data, 8), right(rate, 8));
}

class Table {
 public:
  explicit Table(std::int64_t steps) : steps_(steps) {}

  std::string time(double seconds) const {
    if (seconds == 0) return "";
    return steps_ > 1 ? fmt::format("{:.3f}", 1000 * seconds / double(steps_))
                      : fmt::format("{:.2f}", seconds);
  }

  std::string line(const LayerProfile& layer) const {
    return profile_row(
        layer.model + " " + layer.layer, layer.algorithm, time(layer.forward_seconds),
        time(layer.weights_seconds), time(layer.data_seconds),
        layer.operations() > 0 ? fmt::format("{:.0f}", layer.operations() / layer.seconds() / 1e9)
                               : "");
  }

 private:
  std::int64_t steps_;
};

}  // namespace

std::string profile_text(const std::vector<LayerProfile>& profile, double seconds,
                         std::int64_t steps) {
  const Table table(steps);
  std::string text = profile_row("Layer", "algorithm", "forward", "weights", "data", "GFLOP/s");
  LayerProfile small;
  int small_layers = 0;
  double inside = 0;
  for (const LayerProfile& layer : profile) {
    inside += layer.seconds();
    if (layer.seconds() >= 0.01 * seconds) {
      text += table.line(layer);
      continue;
    }
    ++small_layers;
    small.forward_seconds += layer.forward_seconds;
    small.weights_seconds += layer.weights_seconds;
    small.data_seconds += layer.data_seconds;
  }
  if (small_layers > 0) {
    text += profile_row(fmt::format("{} layers below 1%", small_layers), "",
                        table.time(small.forward_seconds), table.time(small.weights_seconds),
                        table.time(small.data_seconds), "");
  }
  return text + fmt::format("{} {} outside the layers (Adam, batches, loss), of {}\n",
                            table.time(std::max(0.0, seconds - inside)), steps > 1 ? "ms" : "s",
                            table.time(seconds));
}

}  // namespace sluice

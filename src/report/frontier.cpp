#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "report/text.h"
#include "sluice/lab/report.h"

namespace sluice {

namespace {

std::string frontier_row(const std::string& name, const std::string& operations,
                         const std::string& latency, const std::string& work,
                         const std::string& epochs, const std::string& validation,
                         const std::string& test) {
  return left(name, 34) + right(operations, 7) + right(latency, 9) + right(work, 8) +
         right(epochs, 7) + right(validation, 7) + right(test, 8) + "\n";
}

std::string frontier_row(const FrontierPoint& point, const FrontierPoint& mixture, bool is_rival) {
  const double latency = point.latency_ms();
  return frontier_row((is_rival ? "> " : "  ") + point.words, mega_text(point.test_flops()),
                      latency > 0 ? fmt::format("{:.2f} ms", latency) : "",
                      fmt::format("x {:.2f}", point.training_flops / mixture.training_flops),
                      fmt::to_string(point.epochs), percent(point.validation()),
                      percent(point.test()));
}

std::string seed_differences(const FrontierDifference& found,
                             const std::vector<std::uint64_t>& seeds) {
  std::string text;
  for (std::size_t s = 0; s < seeds.size(); ++s) {
    const PairedComparison& seed = found.by_seed[s];
    text += fmt::format("  seed {:<10}{:>6} points, 95% interval {} to {}, {}\n", seeds[s],
                        signed_points(seed.difference), signed_points(seed.interval.low),
                        signed_points(seed.interval.high), p_value_text(seed.p_value));
  }
  return text;
}

}  // namespace

std::string frontier_text(const Frontier& frontier) {
  const FrontierVerdict& verdict = frontier.verdict;
  const FrontierPoint& mixture = frontier.points.front();
  std::string text = frontier_row("", "MFLOP", "latency", "train", "epochs", "valid.", "test");
  for (std::size_t i = 0; i < frontier.points.size(); ++i) {
    text += frontier_row(frontier.points[i], mixture, static_cast<int>(i) == verdict.rival);
  }
  text += wrapped(
      "MFLOP and latency are of a test image, in the mean; training is the work of the whole "
      "training, beside the mixture's; accuracies are means of the seeds.");
  if (verdict.over_rival) {
    text += "\n> the best dense network that needs no more work, by validation images\n";
    text += "Mixture minus this one, on the same test images:\n" +
            seed_differences(*verdict.over_rival, frontier.seeds);
  }
  if (verdict.over_random) {
    const auto random =
        std::ranges::find(frontier.points, FrontierPoint::Kind::random, &FrontierPoint::kind);
    text += wrapped(fmt::format("The mixture's choice by the image brings {} points over {} ({}).",
                                signed_points(verdict.over_random->difference), random->words,
                                p_value_text(verdict.over_random->p_value)));
  }
  return text + "\n" + wrapped(sentence(frontier.points, verdict));
}

}  // namespace sluice

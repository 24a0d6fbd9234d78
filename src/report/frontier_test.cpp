#include <gmock/gmock.h>

#include <sstream>

#include "base/text.h"
#include "sluice/lab/report.h"

namespace sluice {
namespace {

using testing::HasSubstr;

FrontierPoint point(FrontierPoint::Kind kind, const std::string& words, double flops, int right) {
  FrontierPoint one{.kind = kind, .words = words, .flops = flops};
  one.epochs = 100;
  one.training_flops = 2e15;
  for (int s = 0; s < 2; ++s) {
    FrontierPoint::Seed seed{.validation = .7, .flops = flops};
    seed.latency_ms = 0.25;
    seed.right.assign(100, 0);
    std::fill_n(seed.right.begin(), right + s, 1);
    one.seeds.push_back(seed);
  }
  return one;
}

Frontier frontier() {
  Frontier all{"pays", "pictures", 100, {3, 4}};
  all.points = {
      point(FrontierPoint::Kind::mixture, "mixture", 6e6, 80),
      point(FrontierPoint::Kind::share, "10% go on", 3e6, 75),
      point(FrontierPoint::Kind::random, "images chosen at random", 6e6, 70),
      point(FrontierPoint::Kind::dense, "width 1.25", 5e6, 60),
      point(FrontierPoint::Kind::dense, "width 1.375, work 0.333, mirror for 12.3%", 9e6, 90)};
  all.verdict = judge(all.points);
  return all;
}

TEST(FrontierText, HasARowForEachPointAndTheVerdict) {
  const std::string text = frontier_text(frontier());
  EXPECT_THAT(text, HasSubstr("> width 1.25                          5.0  0.25 ms  x 1.00    100"
                              "  70.0%   60.5%\n"));
  EXPECT_THAT(text, HasSubstr("  mixture                             6.0  "));
  EXPECT_THAT(text, HasSubstr("  seed 4          +20.0 points"));
  EXPECT_THAT(text, HasSubstr("The mixture's choice by the image brings +10.0 points over images chosen at"));
  EXPECT_THAT(text, HasSubstr("At 6.0 MFLOP an image the mixture is 20.0 points above"));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(display_width(line), 80) << line;
}

TEST(FrontierPage, HasTheSentenceAndThePoints) {
  const std::string page = frontier_html(frontier());
  EXPECT_THAT(page, HasSubstr("<title>pays: is the mixture above the dense networks?</title>"));
  EXPECT_THAT(page, HasSubstr("\"rival\": \"width 1.25\""));
  EXPECT_THAT(page, HasSubstr("\"seeds_with_its_sign\": 2"));
}

}  // namespace
}  // namespace sluice

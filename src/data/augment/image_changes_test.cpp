#include "data/augment/image_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

auto are(const std::vector<float>& values) {
  return testing::Pointwise(testing::FloatEq(), values);
}

/// Pixels 0, 1, 2, ...
std::vector<std::uint8_t> counted(int count) {
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) pixels[i] = static_cast<std::uint8_t>(i);
  return pixels;
}

/// Returns the placed image in units of pixel values.
std::vector<float> placed(const Shape& shape, const Placement& rows, const Placement& columns) {
  const auto pixels = counted(static_cast<int>(element_count(shape)));
  std::vector<Tap> row_taps;
  std::vector<Tap> column_taps;
  fill_taps(rows, static_cast<int>(shape[0]), row_taps);
  fill_taps(columns, static_cast<int>(shape[1]), column_taps);
  std::vector<float> out(pixels.size());
  place_image(pixels, shape, row_taps, column_taps, out);
  for (float& value : out) value *= 255;
  return out;
}

TEST(ImageChanges, NothingChangesWithoutPlacement) {
  const Shape shape{2, 3, 2};
  const auto pixels = counted(12);
  EXPECT_THAT(placed(shape, {.size = 2}, {.size = 3}), are({pixels.begin(), pixels.end()}));
}

TEST(ImageChanges, MirrorExchangesLeftAndRightAndKeepsChannels) {
  EXPECT_THAT(placed({1, 3, 2}, {.size = 1}, {.size = 3, .mirrored = true}),
              are({4, 5, 2, 3, 0, 1}));
}

TEST(ImageChanges, ShiftReflectsTheEdgeWithoutRepeatingIt) {
  EXPECT_THAT(placed({1, 4, 1}, {.size = 1}, {.size = 4, .shift = 2}), are({2, 1, 0, 1}));
  EXPECT_THAT(placed({1, 4, 1}, {.size = 1}, {.size = 4, .shift = -3}), are({3, 2, 1, 0}));
  EXPECT_THAT(placed({3, 2, 1}, {.size = 3, .shift = 1}, {.size = 2}), are({2, 3, 0, 1, 2, 3}));
  EXPECT_THAT(placed({1, 4, 1}, {.size = 1}, {.size = 4, .shift = 1, .mirrored = true}),
              are({2, 1, 0, 1}))
      << "shifted to 1 0 1 2, then mirrored";
}

/// torch.nn.functional.interpolate([1, 3], size=4, mode="bilinear") is [1, 1.5, 2.5, 3].
TEST(ImageChanges, ACropIsEnlargedAsByPyTorch) {
  EXPECT_THAT(placed({1, 4, 1}, {.size = 1}, {.begin = 1, .size = 2}), are({1, 1.25, 1.75, 2}));
  // Rows 1 and 2 of 4, columns 0 to 2 of 3.
  EXPECT_THAT(placed({4, 3, 1}, {.begin = 1, .size = 2}, {.size = 3}),
              are({3, 4, 5, 3.75, 4.75, 5.75, 5.25, 6.25, 7.25, 6, 7, 8}));
  EXPECT_THAT(placed({2, 2, 1}, {.begin = 1, .size = 1}, {.begin = 1, .size = 1}),
              are({3, 3, 3, 3}));
}

TEST(ImageChanges, BrightnessAndContrastAreTorchvisions) {
  std::vector<float> image{0.5f, 0.25f, 0.75f};
  adjust_brightness(image, 1.5f);
  EXPECT_THAT(image, ElementsAre(0.75f, 0.375f, 1.f));

  std::vector<float> grey{0.25f, 0.75f};  // mean 0.5
  adjust_contrast(grey, 1, 0.5f);
  EXPECT_THAT(grey, ElementsAre(0.375f, 0.625f));
  adjust_contrast(grey, 1, 9);
  EXPECT_THAT(grey, ElementsAre(0.f, 1.f));

  std::vector<float> colours{1, 0, 0, 0, 0, 1};  // greys 0.2989 and 0.114
  adjust_contrast(colours, 3, 0.5f);
  const float rest = 0.5f * (0.2989f + 0.114f) / 2;
  EXPECT_THAT(colours, are({rest + 0.5f, rest, rest, rest, rest, rest + 0.5f}));
}

TEST(ImageChanges, CutoutIsClippedToTheImage) {
  const std::vector<float> colour{7, 8};
  std::vector<float> image(std::size_t{3} * 3 * 2, 0);
  cut_out(image, {3, 3, 2}, 1, 2, 2, colour);
  EXPECT_THAT(image, ElementsAreArray({0, 0, 7, 8, 7, 8,  //
                                       0, 0, 7, 8, 7, 8,  //
                                       0, 0, 0, 0, 0, 0}));
  std::vector<float> other(std::size_t{3} * 3 * 2, 0);
  cut_out(other, {3, 3, 2}, 2, 0, 3, colour);
  EXPECT_THAT(other, ElementsAreArray({0, 0, 0, 0, 0, 0,  //
                                       7, 8, 7, 8, 0, 0,  //
                                       7, 8, 7, 8, 0, 0}));
}

}  // namespace
}  // namespace sluice

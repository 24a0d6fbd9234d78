#include "data/resize_images.h"

#include "tests/scratch.h"

namespace sluice {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Pixels = std::vector<std::uint8_t>;

/// Returns a picture whose columns have the shades.
Image columns(int height, const Pixels& shades) {
  Image image{height, static_cast<int>(shades.size()), {}};
  for (int y = 0; y < height; ++y) {
    for (const std::uint8_t shade : shades) image.pixels.insert(image.pixels.end(), 3, shade);
  }
  return image;
}

/// Returns one row of grey values.
Pixels row(const Pixels& grey, std::size_t y, std::size_t width) {
  return {grey.begin() + y * width, grey.begin() + (y + 1) * width};
}

TEST(Fitted, StretchTakesTheWholePicture) {
  const Image image = columns(2, {10, 20, 30, 40});
  EXPECT_EQ(fitted(image, {2, 2, 3}, Resize::stretch), resized(image, 2, 2).pixels);
  EXPECT_EQ(fitted(image, {2, 4, 3}, Resize::stretch), image.pixels);
}

TEST(Fitted, CropTakesTheMiddle) {
  const Image wide = columns(2, {10, 20, 30, 40});
  EXPECT_THAT(fitted(wide, {2, 2, 1}, Resize::crop), ElementsAre(20, 30, 20, 30));
  EXPECT_THAT(fitted(columns(4, {10, 20}), {2, 2, 1}, Resize::crop), ElementsAre(10, 20, 10, 20));
  EXPECT_EQ(fitted(wide, {4, 8, 3}, Resize::crop), resized(wide, 4, 8).pixels) << "nothing to cut";
  EXPECT_THAT(fitted(columns(1, Pixels(1000, 7)), {8, 8, 1}, Resize::crop), Each(7));
}

TEST(Fitted, PadKeepsTheWholePictureOnBlack) {
  const Image wide = columns(2, {10, 20, 30, 40});
  const Pixels square = fitted(wide, {4, 4, 1}, Resize::pad);
  EXPECT_THAT(row(square, 0, 4), Each(0));
  EXPECT_THAT(row(square, 1, 4), ElementsAre(10, 20, 30, 40));
  EXPECT_THAT(row(square, 2, 4), ElementsAre(10, 20, 30, 40));
  EXPECT_THAT(row(square, 3, 4), Each(0));
  const Pixels high = fitted(columns(4, {50, 60}), {4, 4, 1}, Resize::pad);
  EXPECT_THAT(row(high, 3, 4), ElementsAre(0, 50, 60, 0));
  const Pixels thin = fitted(columns(1, Pixels(1000, 9)), {8, 8, 3}, Resize::pad);
  EXPECT_EQ(std::ranges::count(thin, 9), 3 * 8) << "at least one row";
}

TEST(Fitted, GreyIsTheLumaOfLibjpeg) {
  const Image colours{1, 5, {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 12, 200, 99}};
  EXPECT_THAT(fitted(colours, {1, 5, 1}, Resize::stretch), ElementsAre(76, 150, 29, 255, 132));
  for (int shade = 0; shade < 256; ++shade) {
    const auto own = static_cast<std::uint8_t>(shade);
    EXPECT_THAT(fitted(columns(1, {own}), {1, 1, 1}, Resize::stretch), ElementsAre(own));
  }
  EXPECT_EQ(picture_of(Pixels{3, 4}, {1, 2, 1}).pixels, (Pixels{3, 3, 3, 4, 4, 4}));
  EXPECT_EQ(picture_of(colours.pixels, {1, 5, 3}).pixels, colours.pixels);
}

TEST(Fitted, WrongShapesAreRefused) {
  const Image image = columns(2, {1, 2});
  for (const Shape& shape : {Shape{2, 2}, {2, 2, 2}, {2, 2, 4}}) {
    EXPECT_THAT(error_of(Fault::user, [&] { fitted(image, shape, Resize::pad); }),
                HasSubstr("give (height, width, channels) with 1 or 3 channels"));
  }
  for (const Resize resize : {Resize::stretch, Resize::crop, Resize::pad}) {
    EXPECT_THAT(error_of(Fault::user,
                         [&] {
                           fitted({2, 2, Pixels(11)}, {4, 4, 3}, resize);
                         }),
                HasSubstr("11 bytes for 2 x 2 pixels"));
    EXPECT_THAT(error_of(Fault::user,
                         [&] {
                           fitted(image, {0, 4, 3}, resize);
                         }),
                HasSubstr("cannot resize to 4 x 0 pixels"));
  }
}

TEST(ResizeImages, GivesEveryImageTheShapeOfTheOptions) {
  LabelledImages images{{2, 2, 3}, Pixels(24, 5), {1, 0}};
  std::fill(images.pixels.begin() + 12, images.pixels.end(), std::uint8_t{80});
  LabelledImages same = images;
  resize_images(same, {.height = 2, .width = 2});
  EXPECT_EQ(same.pixels, images.pixels);
  resize_images(images, {.height = 8, .width = 4, .resize = Resize::pad, .channels = 1});
  EXPECT_EQ(images.shape, (Shape{8, 4, 1}));
  ASSERT_EQ(images.pixels.size(), 64u);
  EXPECT_EQ(std::ranges::count(images.image(0), 5), 16);
  EXPECT_EQ(std::ranges::count(images.image(1), 80), 16);
  EXPECT_THAT(images.labels, ElementsAre(1, 0));
}

}  // namespace
}  // namespace sluice

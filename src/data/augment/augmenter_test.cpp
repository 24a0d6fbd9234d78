#include "data/augment/augmenter.h"

#include <gmock/gmock.h>

#include <set>

#include "tests/scratch.h"
#include "train/fit_testing.h"

namespace sluice {
namespace {

using Mirror = Augmentation::Mirror;

/// Equal images whose pixels all differ, so that the result shows where they went.
class AugmenterTest : public testing::Test {
 protected:
  static constexpr int kImages = 2000;
  static constexpr int kSide = 5;

  AugmenterTest() {
    images_.shape = {kSide, kSide, 1};
    for (int i = 0; i < kImages; ++i) {
      images_.labels.push_back(0);
      for (int p = 0; p < kSide * kSide; ++p) {
        images_.pixels.push_back(static_cast<std::uint8_t>(10 * p));
      }
    }
  }

  Examples examples() const { return {images_, {"a"}}; }

  /// Returns each image as it looks in an epoch.
  std::vector<std::vector<float>> look(const Augmentation& options, int epoch,
                                       std::uint64_t seed = 1, std::uint32_t stage = 2) const {
    const Examples all = examples();
    Augmenter augmenter(options, all, seed, stage);
    std::vector<std::vector<float>> seen(kImages, std::vector<float>(kSide * kSide));
    for (std::uint32_t i = 0; i < kImages; ++i) augmenter.write(i, epoch, seen[i]);
    return seen;
  }

  static int value(float pixel) { return static_cast<int>(std::lround(pixel * 25.5f)); }
  static bool is_mirrored(const std::vector<float>& image) { return image[0] > image[1]; }

  LabelledImages images_;
};

/// Five standard deviations of a share of n images.
double tolerance(double share, int n) {
  return 5 * std::sqrt(share * (1 - share) / n);
}

TEST_F(AugmenterTest, MirrorsHalfAtRandomInEachEpoch) {
  const auto first = look({.mirror = Mirror::random}, 1);
  const auto second = look({.mirror = Mirror::random}, 2);
  int mirrored = 0;
  int same = 0;
  for (int i = 0; i < kImages; ++i) {
    mirrored += is_mirrored(first[i]);
    same += is_mirrored(first[i]) == is_mirrored(second[i]);
  }
  EXPECT_NEAR(mirrored / double(kImages), 0.5, tolerance(0.5, kImages));
  EXPECT_NEAR(same / double(kImages), 0.5, tolerance(0.5, kImages));
}

TEST_F(AugmenterTest, AlternatingMirrorExchangesEveryImageInEveryEpoch) {
  const Augmentation options{.mirror = Mirror::alternating};
  const auto first = look(options, 1);
  const auto second = look(options, 2);
  EXPECT_EQ(look(options, 3), first);
  EXPECT_EQ(look(options, 4), second);
  int mirrored = 0;
  for (int i = 0; i < kImages; ++i) {
    mirrored += is_mirrored(first[i]);
    EXPECT_NE(is_mirrored(first[i]), is_mirrored(second[i])) << i;
  }
  EXPECT_NEAR(mirrored / double(kImages), 0.5, tolerance(0.5, kImages));
}

TEST_F(AugmenterTest, ShiftsByEachNumberOfPixelsEquallyOften) {
  std::map<int, int> centres;
  for (const auto& image : look({.shift = 2}, 1)) ++centres[value(image[12])];
  EXPECT_EQ(centres.size(), 25u) << "from -2 to 2 along both axes";
  for (const auto& [centre, count] : centres) {
    EXPECT_NEAR(count / double(kImages), 1 / 25.0, tolerance(1 / 25.0, kImages)) << centre;
  }
}

TEST_F(AugmenterTest, CropsAreWithinTheImageAndTheirAreaIsAsTorchvisions) {
  double area = 0;
  std::set<std::pair<float, float>> corners;
  for (const auto& image : look({.random_resized_crop = 0.2}, 1)) {
    EXPECT_TRUE(std::ranges::all_of(image, [](float p) { return p >= 0 && p <= 240 / 255.f; }));
    EXPECT_TRUE(std::ranges::is_sorted(image.begin(), image.begin() + kSide));
    corners.insert({image.front(), image.back()});
    // A pixel's value rises by 1 along columns and by 5 along rows.
    const float wide = 25.5f * (image[kSide / 2 + 1] - image[kSide / 2]);
    const float high = 25.5f * (image[12 + kSide] - image[12]) / kSide;
    area += double(wide) * high / kImages;
  }
  // The mean of 200,000 crops by torchvision's formula, in Python.
  EXPECT_NEAR(area, 0.5905, 0.028);
  EXPECT_GT(corners.size(), 50u);
}

TEST_F(AugmenterTest, CutoutHasTheMeanColourAndItsCentreIsAnyPixel) {
  const float mean = 120 / 255.f;
  std::map<int, int> places;  // of a pixel of its own colour
  for (const auto& image : look({.cutout = 3}, 1)) {
    for (int p = 0; p < kSide * kSide; ++p) {
      if (image[p] == static_cast<float>(10 * p) / 255.f) continue;
      EXPECT_FLOAT_EQ(image[p], mean);
      ++places[p];
    }
  }
  // A corner is covered from 4 of 25 centres, a pixel inside from 9.
  EXPECT_NEAR(places[0] / double(kImages), 4 / 25.0, tolerance(4 / 25.0, kImages));
  EXPECT_NEAR(places[6] / double(kImages), 9 / 25.0, tolerance(9 / 25.0, kImages));
  EXPECT_EQ(places.size(), 24u) << "the middle has the mean colour anyway";
}

TEST_F(AugmenterTest, BrightnessFactorsAreUniform) {
  double sum = 0;
  double least = 1;
  double most = 0;
  for (const auto& image : look({.brightness = 0.2}, 1)) {
    const double factor = image[10] / (100 / 255.0);
    sum += factor;
    least = std::min(least, factor);
    most = std::max(most, factor);
  }
  EXPECT_NEAR(sum / kImages, 1, 5 * 0.4 / std::sqrt(12.0 * kImages));
  EXPECT_NEAR(least, 0.8, 0.002);
  EXPECT_NEAR(most, 1.2, 0.002);
}

const Augmentation kAll{0.5, 1, Mirror::random, 0.2, 0.3, 2};

TEST_F(AugmenterTest, AnImageDependsOnSeedStageIndexAndEpochOnly) {
  const auto all = look(kAll, 3);
  EXPECT_EQ(look(kAll, 3), all);
  EXPECT_NE(look(kAll, 4), all);
  EXPECT_NE(look(kAll, 3, 9), all);
  EXPECT_NE(look(kAll, 3, 1, 9), all);
  const Examples examples = this->examples();
  Augmenter alone(kAll, examples, 1, 2);
  std::vector<float> image(kSide * kSide);
  for (const std::uint32_t i : {1999u, 7u, 0u}) {
    alone.write(i, 3, image);
    EXPECT_EQ(image, all[i]) << "without those before it";
  }
  EXPECT_NE(all[0], all[1]);
}

TEST_F(AugmenterTest, AnOperationDoesNotChangeTheChoicesOfAnother) {
  const auto shifted = look({.shift = 2}, 1);
  const auto both = look({.shift = 2, .mirror = Mirror::random}, 1);
  for (int i = 0; i < kImages; ++i) EXPECT_EQ(both[i][12], shifted[i][12]) << i;
}

TEST_F(AugmenterTest, OptionsOutOfRangeAreRefused) {
  const auto refusal = [&](const Augmentation& options) {
    return error_of(Fault::user, [&] { look(options, 1); });
  };
  EXPECT_EQ(refusal({.shift = 5}),
            "[train] augment.shift is 5: must be between 0 and 4 for images of (5, 5, 1)");
  EXPECT_EQ(refusal({.shift = -1}),
            "[train] augment.shift is -1: must be between 0 and 4 for images of (5, 5, 1)");
  EXPECT_EQ(refusal({.cutout = 6}),
            "[train] augment.cutout is 6: must be between 0 and 5 for images of (5, 5, 1)");
  EXPECT_EQ(refusal({.random_resized_crop = 0}),
            "[train] augment.random_resized_crop is 0: must be above 0 and at most 1");
  EXPECT_EQ(refusal({.brightness = -0.5}),
            "[train] augment.brightness is -0.5: must be between 0 and 1");
  EXPECT_EQ(refusal({.contrast = std::nan("")}),
            "[train] augment.contrast is nan: must be between 0 and 1");
}

}  // namespace
}  // namespace sluice

#include "data/batch_sequence.h"

#include <gmock/gmock.h>

#include "train/fit_testing.h"

namespace sluice {
namespace {

/// Returns the values of all images and labels from a step on until the end of epoch 2.
std::vector<float> flatten(const Examples& examples, std::size_t batch_size,
                           const Augmentation& augment, int epoch = 1, int step = 0) {
  BatchSequence sequence(examples, {batch_size, 5, 1, augment}, epoch, step);
  Batch batch;
  std::vector<float> all;
  auto left = static_cast<std::ptrdiff_t>((3 - epoch) * examples.size() - step * batch_size);
  while (left > 0) {
    sequence.fill_next(batch);
    EXPECT_EQ(batch.images.size(), batch.labels.size() * element_count(examples.shape()));
    all.insert(all.end(), batch.images.begin(), batch.images.end());
    all.insert(all.end(), batch.labels.begin(), batch.labels.end());
    left -= batch.size();
  }
  return all;
}

/// Sorts the values, because labels stand after the images of their batch.
std::vector<float> sorted(std::vector<float> values) {
  std::ranges::sort(values);
  return values;
}

class BatchSequenceTest : public testing::Test {
 protected:
  LabelledImages images_ = random_set(11, 1);
  Examples examples_{images_, kNames};
  Augmentation augment_{.random_resized_crop = 0.5,
                        .shift = 2,
                        .mirror = Augmentation::Mirror::alternating,
                        .cutout = 3};
};

TEST_F(BatchSequenceTest, ImagesDoNotDependOnTheirBatch) {
  const std::vector<float> whole = sorted(flatten(examples_, 11, augment_));
  EXPECT_EQ(sorted(flatten(examples_, 4, augment_)), whole);
  EXPECT_EQ(sorted(flatten(examples_, 1, augment_)), whole);
  EXPECT_NE(sorted(flatten(examples_, 11, {})), whole);
}

TEST_F(BatchSequenceTest, EveryEpochHasItsOwnOrderAndLook) {
  BatchSequence sequence(examples_, {11, 5, 1, augment_}, 1, 0);
  Batch first;
  Batch second;
  sequence.fill_next(first);
  sequence.fill_next(second);
  EXPECT_NE(first.labels, second.labels);
  EXPECT_NE(sorted(first.images), sorted(second.images));
}

TEST_F(BatchSequenceTest, StartsAtAnyStep) {
  for (const Augmentation& augment : {Augmentation(), augment_}) {
    const std::vector<float> whole = flatten(examples_, 4, augment);
    for (const int epoch : {1, 2}) {
      for (const int step : {0, 1, 2}) {
        const std::vector<float> rest = flatten(examples_, 4, augment, epoch, step);
        ASSERT_LE(rest.size(), whole.size());
        EXPECT_TRUE(std::equal(rest.rbegin(), rest.rend(), whole.rbegin())) << epoch << step;
      }
    }
  }
}

TEST_F(BatchSequenceTest, CanLeaveOutAPartialBatch) {
  for (const auto& [batch_size, rows] : {std::pair{4, 4}, {11, 11}, {12, 11}}) {
    const BatchSequence::Options options{static_cast<std::size_t>(batch_size), 5, 1, {}, true};
    BatchSequence sequence(examples_, options, 1, 0);
    Batch batch;
    std::vector<float> epoch_2;
    for (int i = 0; i < 4; ++i) {
      sequence.fill_next(batch);
      EXPECT_EQ(batch.size(), rows);
      if (i == 2) epoch_2 = batch.images;
    }
    if (batch_size != 4) continue;
    BatchSequence from_epoch_2(examples_, options, 2, 0);
    from_epoch_2.fill_next(batch);
    EXPECT_EQ(batch.images, epoch_2) << "two batches make an epoch";
  }
}

TEST_F(BatchSequenceTest, MixupMixesEachImageWithTheNextOne) {
  BatchSequence plain(examples_, {4, 5, 1, {.shift = 1}}, 1, 0);
  BatchSequence mixed(examples_, {4, 5, 1, {.shift = 1, .mixup = 1}}, 1, 0);
  Batch before;
  Batch after;
  const std::size_t image = std::size_t{8} * 8 * 3;
  for (const std::size_t rows : {4u, 4u, 3u, 4u}) {
    plain.fill_next(before);
    mixed.fill_next(after);
    ASSERT_EQ(after.labels.size(), rows);
    EXPECT_EQ(after.labels, before.labels);
    EXPECT_TRUE(before.other_labels.empty());
    EXPECT_GE(after.weight, 0.5f);
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t other = (row + 1) % rows;
      EXPECT_EQ(after.other_labels.at(row), before.labels[other]);
      for (std::size_t p = 0; p < image; ++p) {
        ASSERT_FLOAT_EQ(after.images[row * image + p],
                        after.weight * before.images[row * image + p] +
                            (1 - after.weight) * before.images[other * image + p]);
      }
    }
  }
}

/// The mean of max(x, 1 - x) is 3/4 for Beta(1, 1), and 0.899 for Beta(.2, .2).
TEST_F(BatchSequenceTest, MixupsWeightsAreOfABetaDistribution) {
  const auto mean = [&](double alpha) {
    constexpr int kBatches = 4000;
    BatchSequence sequence(examples_, {11, 5, 1, {.mixup = alpha}}, 1, 0);
    Batch batch;
    double sum = 0;
    for (int i = 0; i < kBatches; ++i) {
      sequence.fill_next(batch);
      EXPECT_TRUE(batch.weight >= 0.5f && batch.weight <= 1);
      sum += batch.weight;
    }
    return sum / kBatches;
  };
  EXPECT_NEAR(mean(1), 0.75, 0.012);
  EXPECT_NEAR(mean(0.2), 0.899, 0.012);
  EXPECT_GT(mean(1e-4), 0.99);
}

TEST_F(BatchSequenceTest, WithoutAugmentationPixelsAreUnchanged) {
  BatchSequence sequence(examples_, {11, 5, 1, {}}, 1, 0);
  Batch batch;
  sequence.fill_next(batch);
  std::vector<float> pixels;
  for (const std::uint8_t pixel : images_.pixels) pixels.push_back(float(pixel) / 255.f);
  EXPECT_EQ(sorted(batch.images), sorted(pixels));
}

}  // namespace
}  // namespace sluice

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

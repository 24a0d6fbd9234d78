#include "data/builtin.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include "sluice/error.h"

namespace sluice {
namespace {

constexpr int kTrain = 400;
constexpr int kTest = 120;

const Dataset& drawn() {
  static const Dataset data = draw_builtin(kTrain, kTest);
  return data;
}

bool same(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

std::vector<int> counts(const std::vector<int>& labels, std::size_t first) {
  std::vector<int> count(10);
  for (std::size_t i = 0; i < first; ++i) ++count[labels[i]];
  return count;
}

TEST(Builtin, HasTheShapesAndNamesOfCifar10) {
  const std::vector<std::string> names{"airplane", "automobile", "bird",  "cat",  "deer",
                                       "dog",      "frog",       "horse", "ship", "truck"};
  EXPECT_EQ(drawn().class_names, names);
  EXPECT_EQ(drawn().name, "built-in images");
  EXPECT_EQ(drawn().source, "drawn by sluice");
  EXPECT_EQ(drawn().train.size(), kTrain);
  EXPECT_EQ(drawn().test.size(), kTest);
  EXPECT_EQ(drawn().train.shape, (Shape{32, 32, 3}));
  EXPECT_EQ(drawn().train.pixels.size(), kTrain * 3072u);
  EXPECT_EQ(drawn().test.pixels.size(), kTest * 3072u);
}

TEST(Builtin, IsTheSameEveryTime) {
  const Dataset again = draw_builtin(kTrain, kTest);
  EXPECT_EQ(again.train.pixels, drawn().train.pixels);
  EXPECT_EQ(again.train.labels, drawn().train.labels);
  EXPECT_EQ(again.test.pixels, drawn().test.pixels);
  EXPECT_EQ(again.test.labels, drawn().test.labels);
}

TEST(Builtin, FewerImagesAreTheFirstOfMore) {
  const Dataset few = draw_builtin(37, 11);
  ASSERT_EQ(few.train.size(), 37u);
  ASSERT_EQ(few.test.size(), 11u);
  for (std::size_t i = 0; i < few.train.size(); ++i) {
    EXPECT_EQ(few.train.labels[i], drawn().train.labels[i]);
    EXPECT_TRUE(same(few.train.image(i), drawn().train.image(i))) << "image " << i;
  }
  for (std::size_t i = 0; i < few.test.size(); ++i) {
    EXPECT_EQ(few.test.labels[i], drawn().test.labels[i]);
    EXPECT_TRUE(same(few.test.image(i), drawn().test.image(i))) << "image " << i;
  }
}

TEST(Builtin, DoesNotDependOnThreads) {
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const Dataset one = draw_builtin(100, 40);
  omp_set_num_threads(2);
  const Dataset two = draw_builtin(100, 40);
  omp_set_num_threads(threads);
  EXPECT_EQ(one.train.pixels, two.train.pixels);
  EXPECT_EQ(one.train.labels, two.train.labels);
  EXPECT_EQ(one.test.pixels, two.test.pixels);
}

TEST(Builtin, AnyFirstImagesAreBalanced) {
  for (const std::size_t first : {1u, 9u, 10u, 15u, 100u, 123u, 400u}) {
    const std::vector<int> count = counts(drawn().train.labels, first);
    const auto [least, most] = std::minmax_element(count.begin(), count.end());
    EXPECT_LE(*most - *least, 1) << "of the first " << first;
  }
}

TEST(Builtin, ClassesComeInAMixedOrder) {
  // Classes have no fixed position in a group of ten, and the two splits have different orders.
  for (std::size_t place = 0; place < 10; ++place) {
    std::set<int> classes;
    for (std::size_t i = place; i < kTrain; i += 10) classes.insert(drawn().train.labels[i]);
    EXPECT_GE(classes.size(), 7u) << "place " << place;
  }
  EXPECT_FALSE(std::equal(drawn().test.labels.begin(), drawn().test.labels.end(),
                          drawn().train.labels.begin()));
}

TEST(Builtin, EveryImageIsAnotherOne) {
  std::set<std::vector<std::uint8_t>> images;
  for (const LabelledImages* split : {&drawn().train, &drawn().test}) {
    for (std::size_t i = 0; i < split->size(); ++i) {
      images.emplace(split->image(i).begin(), split->image(i).end());
    }
  }
  EXPECT_EQ(images.size(), static_cast<std::size_t>(kTrain + kTest));
}

TEST(Builtin, PixelsVaryWithinAnImageAndFillTheRange) {
  double sum = 0;
  for (std::size_t i = 0; i < kTrain; ++i) {
    const auto image = drawn().train.image(i);
    const auto [darkest, brightest] = std::minmax_element(image.begin(), image.end());
    EXPECT_GE(*brightest - *darkest, 40) << "image " << i;
    for (const std::uint8_t value : image) sum += value;
  }
  const double mean = sum / static_cast<double>(drawn().train.pixels.size());
  EXPECT_GT(mean, 90);
  EXPECT_LT(mean, 165);
}

TEST(Builtin, ClassesLookDifferentAndSplitsAlike) {
  // Labels match the pictures: the mean picture of most classes is nearest to the same class's mean
  // in the other split.
  const Dataset data = draw_builtin(2000, 2000);
  const auto means = [](const LabelledImages& images) {
    std::vector<std::vector<double>> mean(10, std::vector<double>(3072));
    for (std::size_t i = 0; i < images.size(); ++i) {
      for (std::size_t p = 0; p < 3072; ++p)
        mean[images.labels[i]][p] += images.image(i)[p] / 200.0;
    }
    return mean;
  };
  const auto train = means(data.train);
  const auto test = means(data.test);
  int found = 0;
  for (int c = 0; c < 10; ++c) {
    std::array<double, 10> distance{};
    for (int other = 0; other < 10; ++other) {
      for (std::size_t p = 0; p < 3072; ++p) {
        const double d = test[c][p] - train[other][p];
        distance[other] += d * d;
      }
    }
    const auto nearest = std::min_element(distance.begin(), distance.end());
    found += nearest - distance.begin() == c;
  }
  EXPECT_GE(found, 5);  // 1 is expected by chance
}

TEST(Builtin, RefusesANegativeCount) {
  EXPECT_THROW(draw_builtin(-1, 10), Error);
  EXPECT_THROW(draw_builtin(10, -1), Error);
}

}  // namespace
}  // namespace sluice

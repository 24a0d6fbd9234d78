#include "sluice/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "data/batching.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

const std::vector<std::string> kThreeClasses{"cat", "dog", "car"};

std::string groups_error(std::vector<Groups::Group> groups) {
  return error_of(Fault::user, [&] { Groups(std::move(groups), kThreeClasses, "lab.toml"); });
}

TEST(GroupsTest, EveryClassIsInExactlyOne) {
  EXPECT_EQ(groups_error({{"a", {"cat", "dog"}}, {"b", {"car", "cat"}}}),
            "[groups] lab.toml: class 'cat' is in 'a' and in 'b': leave it in one");
  EXPECT_EQ(groups_error({{"a", {"cat"}}, {"b", {"car"}}}),
            "[groups] lab.toml: class 'dog' is in no group: add it to one of a, b");
  EXPECT_EQ(groups_error({{"a", {"cat", "cow"}}, {"b", {"car", "dog"}}}),
            "[groups] lab.toml: group 'a' has the unknown class 'cow': the classes are cat, dog, "
            "car");
  EXPECT_EQ(groups_error({{"a", {"cat", "dog", "car"}}, {"b", {}}}),
            "[groups] lab.toml: group 'b' has no class: list at least one");
  EXPECT_EQ(groups_error({{"a", {"cat", "dog"}}, {"a", {"car"}}}),
            "[groups] lab.toml: two groups are named 'a': rename one");
  EXPECT_EQ(groups_error({{"a", {"cat", "dog", "car"}}}),
            "[groups] lab.toml: a mixture needs at least two groups, not 1");
}

TEST(GroupsTest, ExpertsMayLearnClassesOfOtherGroups) {
  const Groups groups({{"things", {"car"}, {"cat"}}, {"animals", {"dog", "cat"}}}, kThreeClasses);
  EXPECT_TRUE(groups.has(0, 0));
  EXPECT_FALSE(groups.has(0, 1));
  EXPECT_TRUE(groups.has(0, 2));
  EXPECT_TRUE(groups.has(1, 0));
  EXPECT_FALSE(groups.has(1, 2));
  EXPECT_EQ(groups.of_classes(), (std::vector<int>{1, 1, 0})) << "the gate's labels";
  EXPECT_EQ(groups_error({{"a", {"car"}, {"cow"}}, {"b", {"dog", "cat"}}}),
            "[groups] lab.toml: group 'a' has the unknown class 'cow': the classes are cat, dog, "
            "car");
  for (const std::vector<std::string>& also : {std::vector<std::string>{"car"}, {"cat", "cat"}}) {
    EXPECT_EQ(groups_error({{"a", {"car"}, also}, {"b", {"dog", "cat"}}}),
              fmt::format("[groups] lab.toml: group 'a' has class '{}' twice: leave it out of "
                          "`also`",
                          also[0]));
  }
}

TEST(GroupsTest, KeepTheirDeclaredOrder) {
  const Groups groups({{"things", {"car"}}, {"animals", {"dog", "cat"}}}, kThreeClasses);
  EXPECT_EQ(groups.names(), (std::vector<std::string>{"things", "animals"}));
  EXPECT_EQ(groups.of_classes(), (std::vector<int>{1, 1, 0}));
}

LabelledImages four_images() {
  LabelledImages images{{1, 1, 3}, {}, {0, 2, 1, 2}};
  for (int i = 0; i < 12; ++i) images.pixels.push_back(static_cast<std::uint8_t>(20 * i));
  return images;
}

TEST(ExamplesTest, OfAGroupKeepLabelsAndNames) {
  const LabelledImages images = four_images();
  const Groups groups({{"things", {"car"}}, {"animals", {"dog", "cat"}}}, kThreeClasses);
  const Examples all(images, kThreeClasses);
  const Examples things = all.of_group(groups, 0);
  ASSERT_EQ(things.size(), 2u);
  EXPECT_EQ(things.label(1), 2);
  EXPECT_EQ(things.pixels(1)[0], 180);
  EXPECT_EQ(things.class_names(), kThreeClasses);
  EXPECT_EQ(things.distribution(), (std::vector<std::size_t>{0, 0, 2}));
}

TEST(ExamplesTest, OfAGroupHaveTheClassesThatItsExpertAlsoLearns) {
  const LabelledImages images = four_images();
  const Groups groups({{"things", {"car"}, {"dog"}}, {"animals", {"dog", "cat"}}}, kThreeClasses);
  const Examples all(images, kThreeClasses);
  EXPECT_EQ(all.of_group(groups, 0).distribution(), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(all.of_group(groups, 1).distribution(), (std::vector<std::size_t>{1, 1, 0}));
  EXPECT_EQ(all.labelled_by_group(groups).distribution(), (std::vector<std::size_t>{2, 2}));
}

TEST(ExamplesTest, APartKeepsItsOwnImagesAndLabels) {
  const LabelledImages images = four_images();
  const Groups groups({{"things", {"car"}}, {"animals", {"dog", "cat"}}}, kThreeClasses);
  const Examples last = Examples(images, kThreeClasses).after_split(0.5);
  ASSERT_EQ(last.size(), 2u);
  EXPECT_EQ(last.label(0), 1);
  EXPECT_EQ(last.label(1), 2);
  EXPECT_EQ(last.pixels(0)[0], 120);
  const Examples things = last.of_group(groups, 0);
  ASSERT_EQ(things.size(), 1u);
  EXPECT_EQ(things.label(0), 2);
  EXPECT_EQ(things.pixels(0)[0], 180);
}

TEST(ExamplesTest, LabelledByGroupFollowTheDeclaredOrder) {
  const LabelledImages images = four_images();
  const Groups groups({{"things", {"car"}}, {"animals", {"dog", "cat"}}}, kThreeClasses);
  const Examples gate = Examples(images, kThreeClasses).labelled_by_group(groups);
  ASSERT_EQ(gate.size(), 4u);
  EXPECT_EQ(gate.label(0), 1);
  EXPECT_EQ(gate.label(1), 0);
  EXPECT_EQ(gate.class_names(), groups.names());
}

TEST(ExamplesTest, BalanceInWords) {
  LabelledImages images{{1, 1, 1}, std::vector<std::uint8_t>(9), {0, 0, 0, 0, 0, 0, 0, 1, 1}};
  EXPECT_EQ(balance_in_words({images, kThreeClasses}),
            "unbalanced: cat has 3.5 times as many images as dog");
  images.labels = {0, 0, 0, 0, 0, 1, 1, 1, 1};
  EXPECT_EQ(balance_in_words({images, kThreeClasses}), "balanced");
  images.labels = {0, 0, 0, 1, 1};
  EXPECT_EQ(balance_in_words({images, kThreeClasses}),
            "unbalanced: cat has 1.5 times as many images as dog");
}

TEST(Batching, AShuffleIsAPermutationThatItsKeyDecides) {
  const RandomStream random(1, Purpose::shuffle, 2, 3);
  auto rows = permutation(1000, random);
  EXPECT_EQ(rows, permutation(1000, random));
  EXPECT_NE(rows, permutation(1000, RandomStream(1, Purpose::shuffle, 2, 4)));
  EXPECT_NE(rows, in_order(1000));
  std::sort(rows.begin(), rows.end());
  EXPECT_EQ(rows, in_order(1000));
}

TEST(Batching, EveryOrderIsAsLikely) {
  std::map<std::vector<std::uint32_t>, int> seen;
  for (std::uint32_t step = 0; step < 600; ++step) {
    ++seen[permutation(3, RandomStream(1, Purpose::shuffle, 2, step))];
  }
  ASSERT_EQ(seen.size(), 6u);
  for (const auto& [order, times] : seen) EXPECT_NEAR(times, 100, 40);
}

TEST(Batching, PixelsBecomeSharesOfWhite) {
  const LabelledImages images = four_images();
  Batch batch;
  const std::vector<std::uint32_t> rows{3, 0};
  fill_batch({images, kThreeClasses}, rows, batch);
  EXPECT_EQ(batch.labels, (std::vector<int>{2, 0}));
  ASSERT_EQ(batch.images.size(), 6u);
  EXPECT_FLOAT_EQ(batch.images[0], 180 / 255.f);
  EXPECT_FLOAT_EQ(batch.images[5], 40 / 255.f);
}

TEST(Batching, MemoryOfAnotherOwnerIsViewed) {
  const LabelledImages own = four_images();
  LabelledImages bytes{own.shape, {}, own.labels};
  bytes.viewed_pixels = own.pixels;
  EXPECT_EQ(&*Examples(bytes, kThreeClasses).pixels(3).begin(), &own.pixels[9]) << "no copy";
  const std::vector<std::uint32_t> rows{3, 0};
  Batch expected;
  fill_batch({own, kThreeClasses}, rows, expected);
  Batch batch;
  fill_batch({bytes, kThreeClasses}, rows, batch);
  EXPECT_EQ(batch.images, expected.images);

  const std::vector<float> all{0, 1, 2, -3, 4, 5, 6, 7, 8, .25F, 1e6F, 11};
  LabelledImages values{own.shape, {}, own.labels};
  values.viewed_values = all;
  fill_batch({values, kThreeClasses}, rows, batch);
  EXPECT_EQ(batch.images, (std::vector<float>{.25F, 1e6F, 11, 0, 1, 2})) << "as they are";
  const auto said = [](const auto& call) { return error_of(Fault::user, call); };
  EXPECT_THAT(said([&] { values.image(0); }), testing::HasSubstr("bytes are needed: give uint8"));
  values.viewed_values = std::span(all).first(9);
  EXPECT_THAT(said([&] {
                fill_batch({values, kThreeClasses}, rows, batch);
              }),
              testing::HasSubstr("[data] there is no image 3"));
}

TEST(ExamplesTest, WhatThereIsNotIsRefused) {
  const auto said = [](const auto& call) { return error_of(Fault::user, call); };
  const LabelledImages images = four_images();
  const Groups groups({{"things", {"car"}}, {"animals", {"dog", "cat"}}}, kThreeClasses);
  const Examples examples(images, kThreeClasses);
  for (const int wrong : {-1, 2}) {
    EXPECT_EQ(said([&] { examples.of_group(groups, wrong); }),
              fmt::format("[groups] there is no group {}: there are 2, from 0", wrong));
    EXPECT_THAT(said([&] { groups.name(wrong); }), testing::HasSubstr("there is no group"));
  }
  EXPECT_EQ(said([&] { groups.of_class(3); }), "[groups] there is no class 3: there are 3");
  EXPECT_EQ(said([&] { examples.label(4); }), "[data] there is no example 4: there are 4, from 0");
  EXPECT_THAT(said([&] { examples.pixels(4); }), testing::HasSubstr("there is no example 4"));
  for (const double share : {-0.1, 1.1, std::nan("")}) {
    EXPECT_THAT(said([&] { examples.before_split(share); }), testing::HasSubstr("a share of"));
  }
  EXPECT_EQ(said([&] {
              Examples(images, {"cat", "dog"});
            }),
            "[data] image 1 has the label 2, but there are 2 classes");
  LabelledImages negative = images;
  negative.labels[0] = -1;
  EXPECT_THAT(said([&] { Examples(negative, kThreeClasses); }),
              testing::HasSubstr("has the label -1"));
  for (const std::vector<float>& wrong :
       {std::vector<float>{1, 1}, {1, 1, 1, -1}, {1, 1, 1, std::nanf("")}}) {
    LabelledImages weighted = images;
    weighted.weights = wrong;
    EXPECT_EQ(said([&] { Examples(weighted, kThreeClasses); }),
              "[data] weights of images must be 0 or more, one for each of 4 images");
  }
  LabelledImages short_of_pixels = images;
  short_of_pixels.pixels.resize(9);
  const Examples three_and_a_label(short_of_pixels, kThreeClasses);
  EXPECT_EQ(three_and_a_label.pixels(2).size(), 3u);
  EXPECT_THAT(said([&] { three_and_a_label.pixels(3); }),
              testing::HasSubstr("[data] there is no image 3"));
}

}  // namespace
}  // namespace sluice

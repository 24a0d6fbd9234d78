#include "sluice/lab/class_groups.h"

#include <gmock/gmock.h>

#include "sluice/lab/report.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Six classes: 0 and 3 are most alike, then 1 and 4, then 2 with 1 and 4; 5 is near 0 and 3.
ClassConfusions six_classes() {
  ClassConfusions confusions{{"cat", "car", "ship", "dog", "truck", "fox"}, {}, {}};
  confusions.probabilities.assign(36, 0.001);
  confusions.counts.assign(36, 0);
  const auto set = [&](int a, int b, double similarity) {
    for (const auto& [truth, other] : {std::pair(a, b), std::pair(b, a)}) {
      confusions.probabilities[static_cast<std::size_t>(truth * 6 + other)] = similarity;
      confusions.counts[static_cast<std::size_t>(truth * 6 + other)] =
          static_cast<std::int64_t>(similarity * 100);
    }
  };
  set(0, 3, 0.2);
  set(1, 4, 0.15);
  set(1, 2, 0.08);
  set(2, 4, 0.1);
  set(0, 5, 0.06);
  set(3, 5, 0.08);
  set(0, 1, 0.01);
  for (int c = 0; c < 6; ++c) confusions.counts[static_cast<std::size_t>(c * 7)] = 50;
  return confusions;
}

std::vector<std::vector<std::string>> classes_of(const std::vector<Groups::Group>& groups) {
  std::vector<std::vector<std::string>> classes;
  for (const Groups::Group& group : groups) classes.push_back(group.classes);
  return classes;
}

TEST(ClassGroups, TheTreeJoinsByTheMeanOfAllPairs) {
  const ClassTree tree = class_tree(six_classes());
  ASSERT_EQ(tree.joins.size(), 5u);
  const auto expect = [&](std::size_t i, int first, int second, double similarity) {
    EXPECT_EQ(tree.joins[i].first, first) << i;
    EXPECT_EQ(tree.joins[i].second, second) << i;
    EXPECT_NEAR(tree.joins[i].similarity, similarity, 1e-12) << i;
  };
  expect(0, 0, 3, 0.2);
  expect(1, 1, 4, 0.15);
  expect(2, 2, 7, (0.08 + 0.1) / 2);
  expect(3, 5, 6, (0.06 + 0.08) / 2);
  expect(4, 8, 9, (0.01 + 8 * 0.001) / 9);
  EXPECT_EQ(number_of_groups(tree), 2);
}

TEST(ClassGroups, OverlapsAreClassesThatAreTakenForOnesOfTheGroup) {
  const ClassConfusions confusions = six_classes();
  std::vector<Groups::Group> groups{
      {"near", {"cat", "dog", "ship"}}, {"far", {"car", "truck"}, {"cat"}}, {"fox", {"fox"}}};
  add_overlaps(confusions, 0.1, groups);
  EXPECT_THAT(groups[0].also, ElementsAre("truck", "fox")) << ".102 and .141; car has .091";
  EXPECT_THAT(groups[1].also, ElementsAre("ship")) << ".08 and .1, and not what was there";
  EXPECT_THAT(groups[2].also, ElementsAre());
  EXPECT_THAT(class_groups_text(confusions, groups),
              HasSubstr("The expert of far also learns ship."));
  add_overlaps(confusions, 0.06, groups);
  EXPECT_THAT(groups[2].also, ElementsAre("cat", "dog"));
  add_overlaps(confusions, 1, groups);
  for (const Groups::Group& group : groups) EXPECT_TRUE(group.also.empty());
  for (const double share : {0.0, 1.1, -0.5}) {
    EXPECT_THAT(error_of(Fault::user, [&] { add_overlaps(confusions, share, groups); }),
                HasSubstr("must be above 0 and at most 1"));
  }
}

TEST(ClassGroups, BothMethodsFindThem) {
  const ClassConfusions confusions = six_classes();
  for (const Clustering method : {Clustering::agglomerative, Clustering::spectral}) {
    const auto groups = find_groups(confusions, 2, method);
    ASSERT_EQ(groups.size(), 2u);
    EXPECT_THAT(classes_of(groups),
                ElementsAre(ElementsAre("cat", "dog", "fox"), ElementsAre("car", "ship", "truck")));
    EXPECT_EQ(groups[1].name, "car-ship-truck");
  }
  EXPECT_THAT(classes_of(find_groups(confusions, 3, Clustering::agglomerative)),
              ElementsAre(ElementsAre("cat", "dog"), ElementsAre("car", "ship", "truck"),
                          ElementsAre("fox")));
  EXPECT_EQ(find_groups(confusions, 6, Clustering::spectral).size(), 6u);
  for (const int count : {1, 7}) {
    EXPECT_THAT(
        error_of(Fault::user, [&] { find_groups(confusions, count, Clustering::agglomerative); }),
        HasSubstr("groups of 6 classes: must be from 2 to 6"));
  }
}

TEST(ClassGroups, TheNumberIsWhereTheTreeHasItsLargestGap) {
  const auto number = [](const std::vector<double>& similarities) {
    ClassTree tree;
    for (const double each : similarities) tree.joins.push_back({0, 0, each});
    return number_of_groups(tree);
  };
  EXPECT_EQ(number({0.5, 0.4, 0.3, 0.2, 0.15, 0.01, 0.008}), 3) << "of eight classes";
  EXPECT_EQ(number({0.5, 0.4, 0.3, 0.2, 0.02, 0.01, 0.008}), 4);
  EXPECT_EQ(number({0.5, 0.001, 0.0009, 0.0008, 0.0007, 0.0006, 0.0005}), 2) << "at most half";
  EXPECT_EQ(number({0.5}), 2) << "of two classes";
}

TEST(ClassGroups, NamesFitFiles) {
  ClassConfusions confusions = six_classes();
  confusions.class_names = {std::string(60, 'a'), "b/c", "d", "e", "f", "g"};
  const auto groups = find_groups(confusions, 2, Clustering::agglomerative);
  EXPECT_EQ(groups[0].name, std::string(40, 'a') + "-and-2-more");
  EXPECT_EQ(groups[1].name, "b_c-d-f");
  EXPECT_THAT(groups_toml(groups), HasSubstr("classes = [\"b/c\", \"d\", \"f\"]"));
}

TEST(ClassGroups, ErrorsAreInsideOrAcross) {
  const ClassConfusions confusions = six_classes();
  const auto groups = find_groups(confusions, 2, Clustering::agglomerative);
  const GroupErrors errors = group_errors(confusions, groups);
  EXPECT_EQ(errors.groups[0].inside, 2 * (20 + 6 + 8));
  EXPECT_EQ(errors.groups[0].across, 1);
  EXPECT_EQ(errors.groups[1].inside, 2 * (15 + 8 + 10));
  EXPECT_EQ(errors.groups[1].across, 1);
  EXPECT_EQ(errors.all.inside, 134);
  EXPECT_EQ(errors.all.across, 2);
  EXPECT_EQ(errors.all.images, 6 * 50 + 136);
  const std::string text = class_groups_text(confusions, groups);
  EXPECT_THAT(text, HasSubstr("0.20%\n├─ 9.00%\n│  ├─ ship\n│  └─ 15.00%\n│     ├─ car\n"));
  EXPECT_THAT(text, HasSubstr("134 of 136 errors (98.5%) are between classes of one group."));
  EXPECT_THAT(error_of(Fault::user, [&] { group_errors(confusions, {groups[0]}); }),
              HasSubstr("group"));
}

TEST(ClassGroups, ConfusionsAreOfTheExamples) {
  LabelledImages images{{1, 1, 1}, {0, 255, 255, 255}, {0, 1, 1, 1}};
  const Sequential model{
      "model", {1, 1, 1}, {Flatten{"f"}, Dense{"output", 2, Activation::softmax}}};
  Weights weights(model);
  weights.values(weights.tensors()[0])[1] = 3;  // white is class 1
  const auto compiled = compile_for_inference(model, weights, {.batch = 3});
  const Examples examples(images, {"black", "white"});
  const ClassConfusions confusions = class_confusions(*compiled, examples);
  EXPECT_THAT(confusions.counts, ElementsAre(1, 0, 0, 3));
  EXPECT_NEAR(confusions.probabilities[0], 0.5, 1e-6);
  EXPECT_NEAR(confusions.probabilities[3], 1 / (1 + std::exp(-3.0)), 1e-6);
  EXPECT_NEAR(confusions.similarity(0, 1), (0.5 + 1 - confusions.probabilities[3]) / 2, 1e-6);
  images.labels = {1, 1, 1, 1};
  const Examples of_one(images, {"black", "white"});
  EXPECT_THAT(error_of(Fault::user, [&] { class_confusions(*compiled, of_one); }),
              HasSubstr("class 'black' has no image to see what it is taken for"));
}

}  // namespace
}  // namespace sluice

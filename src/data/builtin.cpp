#include "data/builtin.h"

#include <array>
#include <numeric>
#include <utility>

#include "base/fail.h"
#include "base/parallel.h"
#include "data/builtin_scene.h"

namespace sluice {
namespace {

constexpr std::uint64_t kSeed = 2018;  // any value works; another value draws other pictures
constexpr int kAllTrain = 50000;
constexpr int kAllTest = 10000;
constexpr std::uint32_t kClasses = 10;

// Random streams; the order of a split uses its picture stream + kOrder.
enum Split : std::uint32_t { kTrain = 0, kTest = 1 };
constexpr std::uint32_t kOrder = 2;

/// Returns a label: every ten pictures show every class once, in random order.
int label_of(Split split, std::uint32_t index) {
  std::array<int, kClasses> labels;
  std::iota(labels.begin(), labels.end(), 0);
  Dice dice(RandomStream(kSeed, Purpose::drawing, split + kOrder, index / kClasses));
  for (int left = kClasses; left > 1; --left) std::swap(labels[left - 1], labels[dice.below(left)]);
  return labels[index % kClasses];
}

LabelledImages draw_split(Split split, int count) {
  LabelledImages images;
  const auto bytes = static_cast<std::size_t>(element_count(images.shape));
  require_memory_for_images(bytes * count);
  images.labels.resize(count);
  images.pixels.resize(bytes * count);
  constexpr std::size_t kGrain = 16;
  parallel_for(images.labels.size(), kGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const auto index = static_cast<std::uint32_t>(i);
      images.labels[i] = label_of(split, index);
      Dice dice(RandomStream(kSeed, Purpose::drawing, split, index));
      draw_scene(kFigures[images.labels[i]], dice,
                 std::span(images.pixels).subspan(i * bytes, bytes));
    }
  });
  return images;
}

}  // namespace

Dataset draw_builtin(int train_images, int test_images, Halves halves) {
  if (train_images < 0 || test_images < 0) {
    throw user_error("data", "{} images to train and {} to test: neither can be negative",
                     train_images, test_images);
  }
  Dataset data;
  data.name = "built-in images";
  data.source = "drawn by sluice";
  for (const Figure& figure : kFigures) data.class_names.emplace_back(figure.name);
  if (halves == Halves::both) {
    data.train = draw_split(kTrain, train_images == 0 ? kAllTrain : train_images);
  }
  data.test = draw_split(kTest, test_images == 0 ? kAllTest : test_images);
  return data;
}

}  // namespace sluice

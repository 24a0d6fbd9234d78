#include "ops/cond_conv2d.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/parallel.h"
#include "base/random.h"

namespace sluice::ops {
namespace {

using testing::Each;
using testing::ElementsAreArray;

constexpr int kKernels = 5;
constexpr int kChannels = 4;
constexpr int kFilters = 8;
constexpr int kPixels = 6 * 6;
constexpr std::size_t kGate = kChannels * kKernels;
constexpr std::size_t kKernel = kKernels * 9 * kChannels * kFilters;

/// Results and gradients of a forward and a backward pass.
struct Results {
  std::vector<float> dst, diff_src, gradients;
};

/// Counter-based values in [-1, 1].
std::vector<float> random_values(std::size_t count, std::uint32_t stream) {
  const RandomStream random(1, Purpose::drawing, stream, 0);
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = 2 * RandomStream::unit(random.bits(static_cast<std::uint32_t>(i))[0]) - 1;
  }
  return values;
}

/// Of `rows` images in a batch. Images behind them are not numbers.
Results run(int batch, int rows) {
  onednn::Context context;
  Workspace workspace;
  const std::vector<float> parameters = random_values(kGate + kKernels + kKernel + kFilters, 1);
  Results results;
  results.gradients.assign(parameters.size(), NAN);
  std::size_t next = 0;
  const auto take = [&](std::size_t count) {
    next += count;
    return Parameter{&parameters[next - count], &results.gradients[next - count]};
  };
  const CondConv2DParameters all{take(kGate), take(kKernels), take(kKernel), take(kFilters)};

  Plan plan{context, workspace, true};
  const auto src = plan.take(onednn::layout({batch, kChannels, 6, 6}, onednn::Tag::nhwc));
  plan.gradient_bytes = std::size_t(batch) * kPixels * kFilters * sizeof(float);
  CondConv2D op(plan, src, {kKernels, {kFilters, {3, 1, 1, 1, 1, 1}}}, all);
  const auto diff_dst = plan.take_gradient(op.dst().get_desc());
  const auto diff_src = op.plan_backward(plan, diff_dst, true);
  const auto fill = [&](const dnnl::memory& memory, std::size_t image, std::uint32_t stream) {
    std::fill_n(onednn::data(memory), std::size_t(batch) * image, NAN);
    std::ranges::copy(random_values(std::size_t(rows) * image, stream), onednn::data(memory));
  };
  fill(src, kPixels * kChannels, 2);
  fill(diff_dst, kPixels * kFilters, 3);
  fill(op.dst(), kPixels * kFilters, 4);
  fill(diff_src, kPixels * kChannels, 4);
  op.load_parameters(context);
  op.forward(context, {.phase = Phase::training, .rows = rows});
  op.backward_weights(context);
  op.backward_data(context);
  const auto all_of = [](const dnnl::memory& memory) {
    return std::vector<float>(onednn::data(memory), onednn::data(memory) + onednn::stored(memory));
  };
  results.dst = all_of(op.dst());
  results.diff_src = all_of(diff_src);
  return results;
}

TEST(CondConv2D, BitsDoNotDependOnTheNumberOfThreads) {
  std::vector<Results> results;
  for (const int threads : {1, 2, 3, 3}) {
    const ThreadTeam team(threads);
    results.push_back(run(150, 147));
  }
  for (const Results& other : results) {
    EXPECT_EQ(other.dst, results[0].dst);
    EXPECT_EQ(other.diff_src, results[0].diff_src);
    EXPECT_EQ(other.gradients, results[0].gradients);
  }
}

TEST(CondConv2D, ImagesBehindThoseOfThePassDoNotCount) {
  for (const int rows : {1, 3, 9}) {
    const Results part = run(20, rows);
    const Results alone = run(rows, rows);
    EXPECT_EQ(part.gradients, alone.gradients);
    for (const auto values : {&Results::dst, &Results::diff_src}) {
      const std::span all(part.*values);
      const std::size_t of_rows = (alone.*values).size();
      EXPECT_THAT(all.first(of_rows), ElementsAreArray(alone.*values));
      EXPECT_THAT(all.subspan(of_rows), Each(0.f));
    }
  }
}

}  // namespace
}  // namespace sluice::ops

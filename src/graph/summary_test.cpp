#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "sluice/error.h"
#include "sluice/network.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

TEST(Summarize, WhatIsFrozenMustBeThere) {
  Sequential model{"m", {4}, {Dense{"a", 2}, Dropout{"b", 0.5f}, BatchNormalization{"c"}}};
  const auto trained = [&](const std::set<std::string>& frozen) {
    model.frozen = frozen;
    return Weights(model).trained().size();
  };
  EXPECT_EQ(trained({}), 14u);
  EXPECT_EQ(trained({"a", "b"}), 4u);
  EXPECT_EQ(trained({"a/kernel", "c/beta"}), 4u);
  EXPECT_EQ(trained({"a", "c", "c/moving_mean"}), 0u);
  for (const char* name : {"d", "a/gamma", "b/kernel", "/"}) {
    EXPECT_EQ(
        error_of(Fault::user,
                 [&] {
                   trained({"a", name});
                 }),
        fmt::format("[model] m: '{}' is frozen, and is no layer, and no layer's tensor", name));
  }
}

TEST(Summarize, AMixedKernelCostsOneConvolutionBesideItsGateAndMixing) {
  const Shape image{8, 6, 5};
  const auto flops = [&](const Layer& layer) { return count_flops({"m", image, {layer}}); };
  const Conv2D one{.name = "c", .filters = 4, .strides = 2};
  const CondConv2D mixed{.name = "c", .filters = 4, .kernels = 7, .strides = 2};
  const double weights = 3 * 3 * 5 * 4;
  EXPECT_EQ(flops(mixed), flops(one) + 2 * 7 * weights + 2 * 7 * 5);
  const LayerSummary summary = summarize({"m", image, {mixed}}).front();
  EXPECT_EQ(summary.training_flops, summary.flops);
  EXPECT_EQ(summary.parameters(), 7 * weights + 7 * 5 + 7 + 4);
  EXPECT_EQ(summary.idle_parameters, 0);
}

TEST(Summarize, NumbersAndNamesThatCannotBe) {
  const auto said = [](const Shape& input, const std::vector<Layer>& layers) {
    return error_of(Fault::user, [&] { Weights({"m", input, layers}); });
  };
  const Shape image{8, 8, 3};
  EXPECT_THAT(said(image, {Conv2D{"a", 0}}),
              HasSubstr("m: a: filters must be from 1 to 65536, not 0"));
  EXPECT_THAT(said(image, {Conv2D{"a", 4, -3}}),
              HasSubstr("kernel_size must be from 1 to 64, not -3"));
  EXPECT_THAT(said(image, {CondConv2D{"a", 4, 0}}),
              HasSubstr("m: a: kernels must be from 1 to 256, not 0"));
  EXPECT_THAT(said({8}, {CondConv2D{"a", 4}}),
              HasSubstr("m: a: takes (height, width, channels), not (8)"));
  EXPECT_THAT(said(image, {CondConv2D{"a", 4, 2, 9, Activation::linear, 1, Padding::valid}}),
              HasSubstr("m: a: a window of 9x9 does not fit into (8, 8, 3)"));
  EXPECT_THAT(said(image, {MaxPooling2D{"a", 0}}),
              HasSubstr("pool_size must be from 1 to 65536, not 0"));
  EXPECT_THAT(said({4}, {Dense{"a", -1}}), HasSubstr("units must be from 1 to 65536, not -1"));
  EXPECT_THAT(said({4}, {Reshape{"a", {-2, -2}}}),
              HasSubstr("target_shape must be from 1 to 65536, not -2"));
  EXPECT_THAT(said({4}, {Dropout{"a", 1.f}}), HasSubstr("rate must be from 0 up to 1, not 1"));
  EXPECT_THAT(said({4}, {Dropout{"a", std::nanf("")}}),
              HasSubstr("rate must be from 0 up to 1, not nan"));
  EXPECT_THAT(said({0, 8, 3}, {Flatten{"a"}}),
              HasSubstr("m: input: sizes must be from 1 to 65536, not 0"));
  EXPECT_THAT(said({}, {Flatten{"a"}}), HasSubstr("m has no input shape"));
  EXPECT_THAT(said({4}, {Dense{"a", 2}, Dropout{"a", 0.5f}}),
              HasSubstr("m: two layers are called 'a', and each needs a name of its own"));
  EXPECT_THAT(said({1 << 16, 1 << 16, 1 << 16}, {Conv2D{"a", 1 << 16}}),
              HasSubstr("m: a: its output or a tensor is larger than any memory"));
}

}  // namespace
}  // namespace sluice

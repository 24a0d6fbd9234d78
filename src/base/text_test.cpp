#include "base/text.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Text, WhatCouldSteerATerminalIsNotPrinted) {
  EXPECT_EQ(printable("a\x1b[2J\nb\x7f"), "a?[2J?b?");
  EXPECT_EQ(printable("\xc2\x9b"), "?");
  EXPECT_EQ(printable("\xff\xc3"), "??");
  EXPECT_EQ(printable("\xe0\x80\x80"), "???");
  EXPECT_EQ(printable("Ünïcødé 猫 🐸"), "Ünïcødé 猫 🐸");
}

TEST(Text, OneLineHasNoControlCharacters) {
  EXPECT_EQ(one_line("a\nb\x1b[31m\tc\x7f"), "a?b?[31m?c?");
  EXPECT_EQ(one_line("größe"), "größe");
}

TEST(Text, OneLineCutsBetweenCharacters) {
  EXPECT_EQ(one_line("abcdef", 6), "abcdef");
  EXPECT_EQ(one_line("abcdefg", 6), "abcdef...");
  EXPECT_EQ(one_line("aöb", 2), "a...");
  EXPECT_EQ(one_line("a\xff\xff", 2), "a?...");
}

TEST(Text, SignedPointsShowWhetherTheyAreZero) {
  EXPECT_EQ(signed_points(0.027), "+2.7");
  EXPECT_EQ(signed_points(-1), "-100.0");
  EXPECT_EQ(signed_points(0.0004), "+0.04");
  EXPECT_EQ(signed_points(-0.000001), "-0.0001");
  EXPECT_EQ(signed_points(0), "0.0");
  EXPECT_EQ(signed_points(-0.0), "0.0");
}

TEST(Text, EditDistance) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("sede", "seed"), 1u) << "neighbours swapped";
  EXPECT_EQ(edit_distance("abc", "abc"), 0u);
}

TEST(Text, ClosestIsNearOrNone) {
  EXPECT_EQ(closest("sede", {"name", "seed", "data"}), "seed");
  EXPECT_EQ(closest("gopher", {"name", "seed", "data"}), "");
  EXPECT_EQ(closest(std::string(1'000'000, 'a'), {"aaa"}), "");
}

TEST(Text, PlainName) {
  EXPECT_TRUE(is_plain_name("expert_1-A"));
  for (const char* name : {"", ".", "..", "a/b", "a b", "a.b", "ö"}) {
    EXPECT_FALSE(is_plain_name(name)) << name;
  }
  EXPECT_TRUE(is_plain_name(std::string(64, 'a')));
  EXPECT_FALSE(is_plain_name(std::string(65, 'a')));
}

}  // namespace
}  // namespace sluice

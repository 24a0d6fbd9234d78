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
  EXPECT_EQ(printable("cat\u202egnp.exe \u2066x\u2069"), "cat?gnp.exe ?x?");
  EXPECT_EQ(printable("\u2014 \u2026"), "\u2014 \u2026");
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

TEST(Text, SuggestionIsTheClosestOrListsAll) {
  EXPECT_EQ(suggestion("sede", {"name", "seed"}, "it has"), "did you mean seed?");
  EXPECT_EQ(suggestion("gopher", {"name", "seed"}, "it has"), "it has name, seed");
}

TEST(Text, FoldedIsTheLookOfAName) {
  EXPECT_EQ(folded("Dog 2"), "dog 2");
  EXPECT_EQ(folded("Caf\xc3\xa9"), "cafe") << "composed";
  EXPECT_EQ(folded("Cafe\xcc\x81"), "cafe") << "decomposed, as macOS writes it";
  EXPECT_EQ(folded("\xe1\xbb\x8b"), "i") << "Vietnamese";
  EXPECT_EQ(folded("\xea\xb0\x9c"), folded("\xe1\x84\x80\xe1\x85\xa2")) << "Hangul";
  EXPECT_EQ(folded("\xea\xb0\x81"), "\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8");
  EXPECT_NE(folded("\xe7\x8c\xab"), folded("\xe7\x8a\xac")) << "cat and dog in Japanese";
  EXPECT_EQ(folded("\xff\xc3"), "\xff\xc3");
}

TEST(Text, ClosestGoesByTheLook) {
  EXPECT_EQ(closest("DATA", {"name", "seed", "data"}), "data");
  EXPECT_EQ(closest("cafe\xcc\x81", {"bar", "caf\xc3\xa9"}), "caf\xc3\xa9");
}

TEST(Text, ArgumentsAreQuotedWhereAShellNeedsIt) {
  EXPECT_EQ(argument_text("/data/my-pets_2/caf\xc3\xa9"), "/data/my-pets_2/caf\xc3\xa9");
  EXPECT_EQ(argument_text("my pets"), "'my pets'");
  EXPECT_EQ(argument_text("it's"), "'it'\\''s'");
  EXPECT_EQ(argument_text("$HOME;x"), "'$HOME;x'");
  EXPECT_EQ(argument_text(""), "''");
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

#include "cluster/ranks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/fail.h"
#include "cluster/collective.h"
#include "cluster/ranks_testing.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Numbers whose sum depends on the order.
std::vector<float> uneven(int seed) {
  std::vector<float> values;
  for (int i = 0; i < 100; ++i)
    values.push_back(1.F / static_cast<float>(1 + (seed * 31 + i) % 97));
  return values;
}

TEST(Ranks, SumInTheOrderOfATree) {
  const int count = 8;
  ThreadRanks::run(count, [&](Ranks& ranks) {
    std::vector<float> sum = uneven(ranks.rank());
    sum_over_ranks(ranks, sum);
    for (std::size_t i = 0; i < sum.size(); ++i) {
      std::vector<float> tree;
      for (int rank = 0; rank < count; ++rank) tree.push_back(uneven(rank)[i]);
      for (; tree.size() > 1; tree.resize(tree.size() / 2)) {
        for (std::size_t k = 0; 2 * k < tree.size(); ++k) tree[k] = tree[2 * k] + tree[2 * k + 1];
      }
      ASSERT_EQ(sum[i], tree.front()) << i;
    }
  });
}

TEST(Ranks, GatherPartsOfAnySize) {
  ThreadRanks::run(4, [](Ranks& ranks) {
    const std::vector<std::size_t> places{0, 3, 3, 4, 9};
    const auto rank = static_cast<std::size_t>(ranks.rank());
    std::vector<std::byte> all(9);
    for (std::size_t i = places[rank]; i < places[rank + 1]; ++i) all[i] = std::byte(10 + i);
    gather_from_ranks(ranks, all, places);
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], std::byte(10 + i));
  });
}

TEST(Ranks, SendMessagesOfAnySize) {
  ThreadRanks::run(3, [](Ranks& ranks) {
    for (const std::size_t size : {0, 1, 100'000}) {
      const Ranks::Bytes message(size, std::byte(7));
      if (ranks.rank() == 2) ranks.send(0, message);
      if (ranks.rank() == 0) {
        EXPECT_EQ(ranks.receive(2), message);
      }
    }
  });
}

/// Whoever waits for a silent rank, by way of others or not, hears which one it is.
TEST(Ranks, NameTheOneThatIsSilent) {
  for (const int silent : {0, 1, 3}) {
    const auto messages = ThreadRanks::messages_of(
        4,
        [&](Ranks& ranks) {
          std::vector<float> values(10);
          if (ranks.rank() != silent) sum_over_ranks(ranks, values);
        },
        0.2);
    for (int rank = 0; rank < 4; ++rank) {
      if (rank == silent) continue;
      EXPECT_THAT(messages[static_cast<std::size_t>(rank)],
                  HasSubstr("[cluster] rank " + std::to_string(silent) + " on host " +
                            static_cast<char>('a' + silent) + " has not answered for 0.2 s"));
    }
  }
}

TEST(Ranks, HearTheErrorOfAnother) {
  const auto messages = ThreadRanks::messages_of(3, [](Ranks& ranks) {
    if (ranks.rank() == 1) throw user_error("data", "there is no cat");
    ranks.wait_for_message(1);
  });
  EXPECT_THAT(messages,
              ElementsAre("[data] rank 1 on host b: there is no cat", "[data] there is no cat",
                          "[data] rank 1 on host b: there is no cat"));
}

TEST(Ranks, UseTheFirstOnes) {
  const auto messages = ThreadRanks::messages_of(3, [](Ranks& ranks) {
    ranks.use_first(2);
    std::vector<float> values(3, 1.F);
    if (ranks.rank() < ranks.size()) sum_over_ranks(ranks, values);
    EXPECT_EQ(values[0], ranks.rank() < 2 ? 2 : 1);
    EXPECT_EQ(ranks.count(), 3);
  });
  EXPECT_THAT(messages, testing::Each(IsEmpty()));
}

}  // namespace
}  // namespace sluice

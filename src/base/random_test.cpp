#include "base/random.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice {
namespace {

TEST(RandomStream, FillsWithTheBitsThatItCountsOneByOne) {
  const RandomStream random(0x123456789abcdef0, Purpose::dropout, 7, 0xfedcba98);
  for (const std::size_t count : {0, 1, 7, 8, 21}) {
    constexpr std::uint32_t kFirst = 0xfffffff5;  // the index overflows and wraps
    std::vector<std::uint32_t> values(4 * count + 1, 42);
    random.fill(kFirst, count, values.data());
    for (std::size_t i = 0; i < count; ++i) {
      const auto bits = random.bits(kFirst + static_cast<std::uint32_t>(i));
      for (std::size_t word = 0; word < 4; ++word) {
        EXPECT_EQ(values[4 * i + word], bits[word]) << count << " " << i;
      }
    }
    EXPECT_EQ(values.back(), 42u);
  }
}

}  // namespace
}  // namespace sluice

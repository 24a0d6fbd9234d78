#include "base/machine.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Machine, FactsAreThere) {
  const Machine machine = this_machine();
  EXPECT_FALSE(machine.cpu.empty());
  EXPECT_GE(machine.cores, 1);
  EXPECT_GE(machine.threads, 1);
  EXPECT_GT(machine.memory_bytes, 1'000'000u);
  EXPECT_NE(machine.os.find("Linux"), std::string::npos) << machine.os;
  EXPECT_EQ(machine.os.find('"'), std::string::npos) << machine.os;
  EXPECT_FALSE(machine.compiler.empty());
}

TEST(Machine, PeakMemoryIsInBytes) {
  const std::uint64_t peak = peak_memory_bytes();
  EXPECT_GT(peak, 1'000'000u);
  EXPECT_LT(peak, this_machine().memory_bytes);
}

}  // namespace
}  // namespace sluice

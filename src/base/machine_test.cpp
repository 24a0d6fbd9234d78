#include "base/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/scratch.h"

namespace sluice {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

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

TEST(Machine, UsableMemoryIsWhatTheSystemHasAtMost) {
  EXPECT_GT(usable_memory_bytes(), 1'000'000u);
  EXPECT_LE(usable_memory_bytes(), this_machine().memory_bytes);
}

TEST(Machine, MoreMemoryThanThereIsIsRefusedWithWhatToDo) {
  EXPECT_NO_THROW(require_memory(2 << 20, "wait"));
  const std::string error = error_of(
      Fault::machine, [] { require_memory(this_machine().memory_bytes + 1, "take less"); });
  EXPECT_THAT(error, HasSubstr("[memory] "));
  EXPECT_THAT(error, HasSubstr(" MB more are needed, and "));
  EXPECT_THAT(error, EndsWith(" are free: close other programs, or take less"));
}

}  // namespace
}  // namespace sluice

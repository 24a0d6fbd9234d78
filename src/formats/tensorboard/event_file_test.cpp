#include "formats/tensorboard/event_file.h"

#include <gtest/gtest.h>

#include "tests/scratch.h"

namespace sluice {
namespace {

TEST(EventFile, HasTheCheckSumOfTfRecord) {
  // CRC-32C of these bytes is E3069283 (RFC 3720 has the polynomial); TFRecord rotates it by 15
  // bits and adds A282EAD8.
  EXPECT_EQ(masked_crc("123456789"), 0xA282EAD8u + (0xE3069283u >> 15 | 0xE3069283u << 17));
}

TEST(EventFile, IsASequenceOfRecords) {
  const ScratchFolder temp;
  EventFile events(temp / "new" / "folder");
  events.add_scalar("epoch_loss", 300, 1.5f);
  std::string all;
  for (const auto& entry : std::filesystem::directory_iterator(temp / "new" / "folder")) {
    EXPECT_TRUE(entry.path().filename().string().starts_with("events.out.tfevents."));
    all = read_file(entry.path(), 10'000);
  }
  const auto record = [&] {
    std::uint64_t size = 0;
    for (int i = 7; i >= 0; --i) size = size << 8 | static_cast<unsigned char>(all.at(i));
    const std::string event = all.substr(12, size);
    EXPECT_EQ(all.substr(8, 4).size() + event.size() + 4, size + 8);
    all.erase(0, size + 16);
    return event;
  };
  EXPECT_EQ(record().substr(9),
            "\x1a\x0d"
            "brain.Event:2");
  // The event has step 300 and a summary of one value: its tag, and 1.5 in four bytes.
  EXPECT_EQ(record().substr(9), std::string("\x10\xac\x02\x2a\x13\x0a\x11\x0a\x0a"
                                            "epoch_loss"
                                            "\x15\0\0\xc0\x3f",
                                            24));
  EXPECT_EQ(all, "");
}

}  // namespace
}  // namespace sluice

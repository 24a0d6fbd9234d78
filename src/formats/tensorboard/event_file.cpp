#include "formats/tensorboard/event_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <bit>
#include <boost/crc.hpp>
#include <chrono>

namespace sluice {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

template <class Number>
std::string little_endian(Number number) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof number; ++i) bytes += static_cast<char>(number >> (8 * i));
  return bytes;
}

// Fields of protocol buffers: number and kind, then the value.
// https://protobuf.dev/programming-guides/encoding/

std::string varint(std::uint64_t number) {
  std::string bytes;
  for (; number >= 0x80; number >>= 7) bytes += static_cast<char>(number | 0x80);
  return bytes + static_cast<char>(number);
}

std::string field(int number, int kind) {
  return varint(static_cast<std::uint64_t>(number << 3 | kind));
}

std::string integer(int number, std::int64_t value) {
  return field(number, 0) + varint(static_cast<std::uint64_t>(value));
}

std::string real(int number, double value) {
  return field(number, 1) + little_endian(std::bit_cast<std::uint64_t>(value));
}

std::string real(int number, float value) {
  return field(number, 5) + little_endian(std::bit_cast<std::uint32_t>(value));
}

std::string text(int number, const std::string& value) {
  return field(number, 2) + varint(value.size()) + value;
}

// Fields of event.proto and summary.proto.
constexpr int kWallTime = 1;
constexpr int kStep = 2;
constexpr int kFileVersion = 3;
constexpr int kSummary = 5;
constexpr int kSummaryValue = 1;
constexpr int kEventTag = 1;
constexpr int kSimpleValue = 2;

std::filesystem::path new_file_in(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);  // on failure, opening reports the reason
  return folder / fmt::format("events.out.tfevents.{:.0f}.{}.sluice", now(), getpid());
}

}  // namespace

std::uint32_t masked_crc(std::string_view bytes) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return std::rotr(static_cast<std::uint32_t>(crc.checksum()), 15) + 0xA282EAD8u;
}

EventFile::EventFile(const std::filesystem::path& folder)
    : file_(new_file_in(folder), OutputFile::Mode::fresh, "tensorboard") {
  add(real(kWallTime, now()) + text(kFileVersion, "brain.Event:2"));
}

void EventFile::add_scalar(const std::string& tag, std::int64_t step, float value) {
  const std::string point = text(kEventTag, tag) + real(kSimpleValue, value);
  add(real(kWallTime, now()) + integer(kStep, step) + text(kSummary, text(kSummaryValue, point)));
}

void EventFile::add(const std::string& event) {
  const std::string size = little_endian(static_cast<std::uint64_t>(event.size()));
  file_.write(size + little_endian(masked_crc(size)) + event + little_endian(masked_crc(event)));
}

}  // namespace sluice

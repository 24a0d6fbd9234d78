#include "formats/onnx/wire.h"

#include <bit>
#include <cstring>

#include "base/fail.h"

namespace sluice {

float WireField::real() const {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value));
}

bool WireReader::next(WireField& field) {
  if (rest_.empty()) return false;
  const std::uint64_t tag = varint();
  field = {static_cast<std::uint32_t>(tag >> 3), false, 0, {}};
  if (field.number == 0 || tag >> 32 != 0) fail();
  switch (tag & 7) {
    case 0:
      field.value = varint();
      return true;
    case 1:
      field.value = fixed(sizeof(std::uint64_t));
      return true;
    case 2:
      field.has_bytes = true;
      field.bytes = take(varint());
      return true;
    case 5:
      field.value = fixed(sizeof(std::uint32_t));
      return true;
    default:
      fail();
  }
}

bool WireReader::next_varint(std::uint64_t& value) {
  if (rest_.empty()) return false;
  value = varint();
  return true;
}

std::uint64_t WireReader::varint() {
  constexpr int kBits = 7;
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64 && !rest_.empty(); shift += kBits) {
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return value;
  }
  fail();
}

std::uint64_t WireReader::fixed(std::size_t bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, take(bytes).data(), bytes);  // little endian, as this machine
  return value;
}

std::string_view WireReader::take(std::uint64_t bytes) {
  if (bytes > rest_.size()) fail();
  const std::string_view taken = rest_.substr(0, bytes);
  rest_.remove_prefix(bytes);
  return taken;
}

void WireReader::fail() const {
  throw user_error("onnx", "{} is damaged or cut: its protobuf ends in a field: copy it again",
                   *place_);
}

}  // namespace sluice

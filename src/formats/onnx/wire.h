#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

/// A field of a message of protobuf.
struct WireField {
  std::uint32_t number = 0;
  bool has_bytes = false;
  std::uint64_t value = 0;  ///< of a varint or a fixed number
  std::string_view bytes;   ///< of a text, a message or packed numbers

  /// The 32 bits of a fixed number.
  float real() const;
};

/// Reads a message of protobuf field by field, in place: it copies nothing and allocates nothing.
/// libprotobuf would make objects of up to a hundred times the bytes of a malicious file.
class WireReader {
 public:
  /// `place` is for messages, and must outlive the reader.
  WireReader(std::string_view message, const std::string& place) : rest_(message), place_(&place) {}

  /// Takes the next field; false at the end. Throws Error (user) for a damaged message.
  bool next(WireField& field);
  /// Takes a number of a packed list; false at its end. Throws Error (user).
  bool next_varint(std::uint64_t& value);

 private:
  std::uint64_t varint();
  std::uint64_t fixed(std::size_t bytes);
  std::string_view take(std::uint64_t bytes);
  [[noreturn]] void fail() const;

  std::string_view rest_;
  const std::string* place_;
};

}  // namespace sluice

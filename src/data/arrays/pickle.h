#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// A value of a pickle. Bytes refer to the pickle.
struct PickleValue {
  enum class Kind : std::uint8_t {
    none,
    flag,
    number,
    bytes,
    tuple,
    list,
    dict,         ///< items are key, value, key, value...
    constructor,  ///< of an array, before its content is known
    element_type,
    array,  ///< of unsigned bytes in C order: items are the sides of its shape
  };

  Kind kind = Kind::none;
  std::int64_t number = 0;
  std::string_view bytes{};
  std::vector<std::uint32_t> items{};  ///< places of other values
};

/// Reads a pickle of protocol 2 as data: dicts, lists, tuples, numbers, byte strings and NumPy's
/// arrays of bytes, as CIFAR's Python files have them. It executes nothing, calls nothing and
/// imports nothing; every opcode and every name that these files do not need is refused.
class Pickle {
 public:
  /// `name` is for messages; the bytes must outlive this object. Throws Error (user) for all else,
  /// for a damaged pickle, and for more than a million values.
  Pickle(std::string_view bytes, std::string name);

  const PickleValue& root() const { return values_[root_]; }
  const PickleValue& at(std::uint32_t place) const { return values_[place]; }
  /// Returns the value of a key of the root, which must be a dict; nullptr if it has no such key.
  const PickleValue* find(std::string_view key) const;
  /// Returns a list of numbers. Throws Error (user) if the value is none.
  std::vector<std::int64_t> numbers(const PickleValue& value) const;
  [[noreturn]] void refuse(const std::string& why) const;

 private:
  friend class PickleReader;

  std::string name_;
  std::vector<PickleValue> values_;
  std::uint32_t root_ = 0;
};

}  // namespace sluice

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace sluice {

/// Computes a checksum of bytes that arrive in parts.
class Digest {
 public:
  enum class Kind { md5, sha256 };

  explicit Digest(Kind kind);
  ~Digest();

  void add(std::string_view bytes);
  /// Finishes and returns the sum in hexadecimal digits. Throws Error (machine) if OpenSSL refuses:
  /// systems restricted to FIPS disable MD5.
  std::string digits();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

/// Returns a checksum that finds accidental changes, at the speed of memory.
std::uint64_t quick_sum(std::span<const std::uint8_t> bytes);

}  // namespace sluice

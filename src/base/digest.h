#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace sluice {

/// A check sum of bytes that come in parts.
class Digest {
 public:
  enum class Kind { md5, sha256 };

  explicit Digest(Kind kind);
  ~Digest();

  void add(std::string_view bytes);
  /// In hexadecimal digits; ends it. Throws Error (machine) if OpenSSL refuses: MD5 is switched off
  /// in systems restricted to FIPS.
  std::string digits();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace sluice

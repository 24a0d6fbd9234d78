#include "base/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/fail.h"

namespace sluice {

struct Digest::Context {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> handle{EVP_MD_CTX_new(), EVP_MD_CTX_free};
  bool fine = false;
};

Digest::Digest(Kind kind) : context_(std::make_unique<Context>()) {
  const EVP_MD* type = kind == Kind::md5 ? EVP_md5() : EVP_sha256();
  context_->fine =
      context_->handle && EVP_DigestInit_ex(context_->handle.get(), type, nullptr) == 1;
}

Digest::~Digest() = default;

void Digest::add(std::string_view bytes) {
  if (!context_->fine) return;
  context_->fine = EVP_DigestUpdate(context_->handle.get(), bytes.data(), bytes.size()) == 1;
}

std::string Digest::digits() {
  unsigned char sum[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (!context_->fine || EVP_DigestFinal_ex(context_->handle.get(), sum, &size) != 1) {
    throw machine_error("digest", "OpenSSL cannot compute a checksum: does it allow MD5 here?");
  }
  std::string digits;
  for (unsigned int i = 0; i < size; ++i) digits += fmt::format("{:02x}", sum[i]);
  return digits;
}

std::uint64_t quick_sum(std::span<const std::uint8_t> bytes) {
  // Each step can be undone, so that one changed word always changes the sum. The multiplier is
  // that of Fibonacci hashing, 2^64 / phi.
  constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15;
  std::uint64_t sum = bytes.size();
  while (!bytes.empty()) {
    std::uint64_t word = 0;
    const std::size_t size = std::min(bytes.size(), sizeof word);
    std::memcpy(&word, bytes.data(), size);
    sum = std::rotl((sum ^ word) * kMultiplier, 29);
    bytes = bytes.subspan(size);
  }
  return sum;
}

}  // namespace sluice

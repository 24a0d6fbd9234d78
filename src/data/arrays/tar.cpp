#include "data/arrays/tar.h"

#include <algorithm>
#include <string_view>

#include "base/fail.h"
#include "base/text.h"
#include "data/arrays/gzip.h"

namespace sluice {

namespace {

// POSIX.1-1988 (ustar): a header of 512 bytes, and the content filled up to a multiple of 512.
constexpr std::size_t kTarBlock = 512;
constexpr std::uint64_t kMostTarFile = std::uint64_t{256} << 20;  // CIFAR-100: 155 MB
constexpr std::uint64_t kMostTarBytes = std::uint64_t{2} << 30;

/// Returns a text field, which ends at its first 0.
std::string_view field(std::string_view header, std::size_t at, std::size_t length) {
  const std::string_view all = header.substr(at, length);
  return all.substr(0, all.find('\0'));
}

/// Returns an octal number, or nothing valid as the largest.
std::uint64_t octal(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (c == ' ') continue;
    if (c < '0' || c > '7' || value > kMostTarBytes) return ~std::uint64_t{0};
    value = 8 * value + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

/// Whether the header's checksum is right: the sum of its bytes, with blanks for itself.
bool is_sound(std::string_view header) {
  constexpr std::size_t kSum = 148;
  constexpr std::size_t kSumLength = 8;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const bool own = i >= kSum && i < kSum + kSumLength;
    sum += own ? ' ' : static_cast<unsigned char>(header[i]);
  }
  return sum == octal(field(header, kSum, kSumLength));
}

}  // namespace

std::map<std::string, std::string> read_tar(
    const std::filesystem::path& archive,
    const std::function<bool(const std::string& name)>& wanted) {
  const auto refuse = [&](std::string_view why) {
    return user_error("data", "{} {}: copy it again", path_text(archive), why);
  };
  GzipFile file(archive);
  std::map<std::string, std::string> files;
  std::uint64_t done = 0;
  for (char block[kTarBlock];;) {
    const std::size_t count = file.read(block);
    const std::string_view header(block, count);
    if (header.find_first_not_of('\0') == std::string_view::npos) break;  // the end
    if (count < kTarBlock || !is_sound(header)) throw refuse("is no tar archive, or is damaged");
    const std::uint64_t size = octal(field(header, 124, 12));
    done += std::min(size, kMostTarBytes) + kTarBlock;
    if (size > kMostTarBytes || done > kMostTarBytes) throw refuse("has more than 2 GB");
    const std::string path(field(header, 0, 100));
    const std::string name = path.substr(path.rfind('/') + 1);
    const char type = header[156];
    const std::uint64_t rest = (kTarBlock - size % kTarBlock) % kTarBlock;
    if ((type != '0' && type != '\0') || !wanted(name)) {
      file.skip(size + rest);
      continue;
    }
    if (size > kMostTarFile) throw refuse("has more than 256 MB in " + name);
    if (!files.emplace(name, file.take(size)).second) throw refuse("has " + name + " twice");
    file.skip(rest);
  }
  return files;
}

}  // namespace sluice

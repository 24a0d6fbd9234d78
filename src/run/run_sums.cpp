#include "run/run_sums.h"

#include <fmt/format.h>

#include <optional>

#include "base/digest.h"
#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"

namespace sluice {

namespace {

namespace fs = std::filesystem;

constexpr const char* kSums = "SHA256SUMS";
constexpr std::uint64_t kMaxSums = 1'000'000;
constexpr std::uint64_t kMaxSummed = std::uint64_t{16} << 30;

std::string sha256_of(std::string_view bytes) {
  Digest digest(Digest::Kind::sha256);
  digest.add(bytes);
  return digest.digits();
}

/// Returns the checksum of a file from its line, "CHECKSUM  FILE".
std::optional<std::string> listed_sum(const fs::path& folder, const std::string& file) {
  if (std::error_code ignored; !fs::exists(folder / kSums, ignored)) return {};
  const std::string sums = "\n" + read_file(folder / kSums, kMaxSums, "run") + "\n";
  const std::size_t end = sums.find("  " + file + "\n");
  if (end == std::string::npos) return {};
  const std::size_t begin = sums.rfind('\n', end) + 1;
  return sums.substr(begin, end - begin);
}

}  // namespace

void write_sums(const fs::path& folder, const std::vector<std::string>& files) {
  std::string sums;
  for (const std::string& file : files) {
    std::error_code ignored;
    if (!fs::is_regular_file(folder / file, ignored)) continue;
    sums += fmt::format("{}  {}\n", sha256_of(read_file(folder / file, kMaxSummed, "run")), file);
  }
  write_file(folder / kSums, sums);
}

std::string read_summed(const fs::path& folder, const std::string& file, std::uint64_t max_bytes,
                        std::string_view tag) {
  std::string bytes = read_file(folder / file, max_bytes, tag);
  const std::optional<std::string> sum = listed_sum(folder, file);
  if (sum && *sum != sha256_of(bytes)) {
    throw user_error(tag,
                     "{} was changed after the end of the run: its checksum is not that in {}: "
                     "restore it, or train the run again",
                     path_text(folder / file), kSums);
  }
  return bytes;
}

}  // namespace sluice

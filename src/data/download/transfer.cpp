#include "data/download/transfer.h"

#include <curl/curl.h>

#include <cstdint>
#include <exception>
#include <memory>

#include "base/fail.h"
#include "base/files.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

constexpr long kConnectSeconds = 5;
/// A transfer slower than this for kSlowSeconds fails.
constexpr long kSlowBytesPerSecond = 1000;
constexpr long kSlowSeconds = 20;
/// Six times CIFAR-10: an endless answer must not fill the disk.
constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 30;
constexpr long kRangeNotSatisfiable = 416;

struct Cleanup {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

/// State shared by libcurl's callbacks. Exceptions must not pass through C: `failure` keeps them.
struct Attempt {
  const DataEvents& events;
  OutputFile& file;
  std::uint64_t offset;
  std::uint64_t arrived = 0;
  std::exception_ptr failure;
};

std::size_t on_bytes(char* data, std::size_t, std::size_t count, void* user) {
  auto& attempt = *static_cast<Attempt*>(user);
  try {
    attempt.arrived += count;
    if (attempt.offset + attempt.arrived > kMaxBytes) {
      throw machine_error("download", "the server sent more than {} bytes: check the address",
                          kMaxBytes);
    }
    attempt.file.write({data, count});
    return count;
  } catch (...) {
    attempt.failure = std::current_exception();
    return 0;
  }
}

int on_progress(void* user, curl_off_t total, curl_off_t done, curl_off_t, curl_off_t) {
  auto& attempt = *static_cast<Attempt*>(user);
  if (!attempt.events.progress) return 0;
  try {
    // libcurl counts the bytes of this attempt only.
    attempt.events.progress(attempt.offset + static_cast<std::uint64_t>(done),
                            total > 0 ? attempt.offset + static_cast<std::uint64_t>(total) : 0);
    return 0;
  } catch (...) {
    attempt.failure = std::current_exception();
    return 1;
  }
}

enum class Outcome { done, cannot_resume };

Outcome attempt_transfer(const std::string& url, const fs::path& part, std::uint64_t offset,
                         const DataEvents& events) {
  const auto mode = offset > 0 ? OutputFile::Mode::append : OutputFile::Mode::replace;
  OutputFile file(part, mode, "download");
  const std::unique_ptr<CURL, Cleanup> handle(curl_easy_init());
  if (!handle) throw machine_error("download", "cannot start libcurl: free some memory");
  CURL* curl = handle.get();
  Attempt attempt{events, file, offset, 0, nullptr};
  char message[CURL_ERROR_SIZE] = "";

  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kSlowBytesPerSecond);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kSlowSeconds);
  curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(offset));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &attempt);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &attempt);

  const CURLcode code = curl_easy_perform(curl);
  if (attempt.failure) std::rethrow_exception(attempt.failure);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  // Either the server does not support ranges, or the old part is longer than the file. libcurl
  // treats 416 as success: it assumes that the file is complete.
  if (offset > 0 && (code == CURLE_RANGE_ERROR || code == CURLE_BAD_DOWNLOAD_RESUME ||
                     status == kRangeNotSatisfiable)) {
    return Outcome::cannot_resume;
  }
  if (code != CURLE_OK) {
    throw machine_error("download", "{}: {}: check the network, or use --data DIR", url,
                        *message != '\0' ? message : curl_easy_strerror(code));
  }
  file.sync();
  return Outcome::done;
}

}  // namespace

void transfer(const std::string& url, const fs::path& part, const DataEvents& events) {
  std::error_code missing;
  const std::uintmax_t size = fs::file_size(part, missing);
  const std::uint64_t offset = missing ? 0 : size;
  if (attempt_transfer(url, part, offset, events) == Outcome::cannot_resume) {
    attempt_transfer(url, part, 0, events);
  }
}

}  // namespace sluice

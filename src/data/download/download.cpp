#include "data/download/download.h"

#include <chrono>
#include <fstream>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include "base/digest.h"
#include "base/fail.h"
#include "base/file_lock.h"
#include "base/files.h"
#include "data/cifar_cache.h"
#include "data/download/transfer.h"
#include "data/download/unpack.h"

namespace sluice {

namespace fs = std::filesystem;

const char* const kCifar10Url = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz";

namespace {

constexpr const char* kCifar10Md5 = "c32a1d4ab5d03f1284b67883e8d87530";

/// Waits until no other process downloads, or until the callback throws.
void take(FileLock& lock, const DataEvents& events) {
  for (bool first = true; lock.take() == FileLock::Result::held; first = false) {
    if (first && events.say) events.say("data: waiting for another process that downloads");
    if (events.progress) events.progress(0, 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

/// Returns hexadecimal digits; empty if the file does not exist.
std::string md5_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return "";
  Digest digest(Digest::Kind::md5);
  std::vector<char> buffer(1 << 20);
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    digest.add({buffer.data(), static_cast<std::size_t>(file.gcount())});
  }
  return digest.digits();
}

void make_cache_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw machine_error("download", "cannot make {}: {}: set $XDG_CACHE_HOME to another place",
                        folder.string(), error.message());
  }
}

void download_checked(const std::string& url, const std::string& md5, const fs::path& part,
                      const DataEvents& events) {
  // The archive is complete if an earlier process stopped while it unpacked.
  if (md5_of(part) == md5) return;
  if (events.say) events.say(fmt::format("data: downloading {}", url));
  transfer(url, part, events);
  const std::string sum = md5_of(part);
  if (sum != md5) {
    std::error_code ignored;
    fs::remove(part, ignored);
    throw machine_error("download", "{} has the MD5 {}, not {}: deleted it; try again", url, sum,
                        md5);
  }
}

}  // namespace

fs::path fetch_archive(const std::string& url, const std::string& md5, const fs::path& cache,
                       const DataEvents& events) {
  const fs::path folder = cached_cifar(cache);
  if (is_folder(folder)) return folder;
  make_cache_folder(cache);
  FileLock lock(cache / "cifar-10-binary.lock", "download");
  take(lock, events);
  if (is_folder(folder)) return folder;  // the other process has finished it

  const fs::path part = cache / "cifar-10-binary.tar.gz.part";
  download_checked(url, md5, part, events);

  const fs::path half_done = cache / "cifar-10-batches-bin.part";
  std::error_code ignored;
  fs::remove_all(half_done, ignored);
  make_cache_folder(half_done);
  unpack_cifar(part, half_done);
  rename_file(half_done, folder, "download");
  sync_folder(cache, "download");
  fs::remove(part, ignored);
  return folder;
}

fs::path fetch_cifar10(const std::string& url, const DataEvents& events) {
  const fs::path cache = cache_folder();
  if (cache.empty()) {
    throw machine_error("download", "no place for the download: set $XDG_CACHE_HOME or $HOME");
  }
  return fetch_archive(url, kCifar10Md5, cache, events);
}

}  // namespace sluice

#include "data/decoded_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <numeric>
#include <utility>

#include "base/digest.h"
#include "base/fail.h"
#include "base/text.h"
#include "data/cifar_cache.h"
#include "sluice/version.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

constexpr const char* kFolder = "decoded";
constexpr std::size_t kDigits = 64;  // of a SHA-256

std::string_view text_of(std::span<const std::uint64_t> sums) {
  return {reinterpret_cast<const char*>(sums.data()), sums.size_bytes()};
}

std::string end_digest(std::string_view end) {
  Digest digest(Digest::Kind::sha256);
  digest.add(end);
  return digest.digits();
}

/// Reads the lines "<row> <fault>". Returns false if they are not valid.
bool read_faults(std::string_view lines, std::vector<std::string>& faults) {
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    const std::size_t space = lines.find(' ');
    if (end == lines.npos || space >= end) return false;
    std::size_t row = 0;
    const auto read = std::from_chars(lines.data(), lines.data() + space, row);
    if (read.ptr != lines.data() + space || row >= faults.size()) return false;
    faults[row] = lines.substr(space + 1, end - space - 1);
    lines.remove_prefix(end + 1);
  }
  return true;
}

}  // namespace

DecodedKey decoded_key(const std::vector<ImageFile>& files, const DataOptions& options) {
  // Another version may decode in another way.
  Digest digest(Digest::Kind::sha256);
  digest.add(fmt::format("decoded 1\n{}\n{} {} {}\n", version(), to_string(options.shape()),
                         to_string(options.resize), options.exif_orientation));
  for (const ImageFile& file : files) {
    struct stat status {};
    const bool found = ::stat(file.path.c_str(), &status) == 0;
    std::error_code ignored;
    digest.add(fmt::format("{}\n{} {}.{:09}\n", fs::absolute(file.path, ignored).string(),
                           found ? status.st_size : -1, status.st_mtim.tv_sec,
                           status.st_mtim.tv_nsec));
  }
  return {digest.digits(), files.size(), static_cast<std::size_t>(element_count(options.shape()))};
}

std::uint64_t bytes_of(const std::vector<ImageFile>& files) {
  std::uint64_t bytes = 0;
  for (const ImageFile& file : files) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(file.path, error);
    if (!error) bytes += size;
  }
  return bytes;
}

fs::path decoded_folder() {
  if (cache_folder().empty()) return {};
  const fs::path folder = cache_folder() / kFolder;
  std::error_code error;
  fs::create_directories(folder, error);
  return error ? fs::path() : folder;
}

DecodedImages::DecodedImages(fs::path path, const DecodedKey& key)
    : path_(std::move(path)),
      descriptor_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)),
      image_bytes_(key.image_bytes),
      faults_(key.images),
      rows_(key.images) {
  std::iota(rows_.begin(), rows_.end(), std::size_t{0});
}

std::shared_ptr<DecodedImages> DecodedImages::open(const fs::path& folder, const DecodedKey& key) {
  const std::shared_ptr<DecodedImages> images(new DecodedImages(folder / key.digest, key));
  if (images->descriptor_.failed() || !images->read_end(key)) return nullptr;
  ::futimens(images->descriptor_.get(), nullptr);  // limit_decoded() keeps what was used last
  return images;
}

bool DecodedImages::read_end(const DecodedKey& key) {
  constexpr std::uint64_t kLongestFault = 1000;
  const std::uint64_t begin = std::uint64_t{key.images} * key.image_bytes;
  const std::uint64_t sums = std::uint64_t{key.images} * sizeof(std::uint64_t);
  struct stat status {};
  if (::fstat(descriptor_.get(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size < begin + sums + kDigits || size > begin + sums + kDigits + key.images * kLongestFault) {
    return false;
  }
  std::vector<std::uint8_t> bytes(size - begin);
  if (!read_at(begin, bytes)) return false;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::string_view end = text.substr(0, text.size() - kDigits);
  if (end_digest(end) != text.substr(end.size())) return false;
  sums_.resize(key.images);
  if (sums > 0) std::memcpy(sums_.data(), end.data(), sums);
  return read_faults(end.substr(sums), faults_);
}

bool DecodedImages::read_at(std::uint64_t offset, std::span<std::uint8_t> to) const {
  while (!to.empty()) {
    const ssize_t done =
        ::pread(descriptor_.get(), to.data(), to.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    offset += static_cast<std::uint64_t>(done);
    to = to.subspan(static_cast<std::size_t>(done));
  }
  return true;
}

void DecodedImages::read(std::size_t row, std::span<std::uint8_t> to) const {
  const std::size_t stored = rows_[row];
  if (!read_at(std::uint64_t{stored} * image_bytes_, to) || quick_sum(to) != sums_[stored]) {
    throw machine_error("data", "{} is damaged: delete it, and the pictures are decoded again",
                        path_text(path_));
  }
}

DecodedWriter::DecodedWriter(const fs::path& folder, const DecodedKey& key)
    : key_(key), path_(folder / key.digest), sums_(key.images), file_(path_, "data") {}

void DecodedWriter::put(std::size_t row, std::span<const std::uint8_t> pixels) {
  sums_[row] = quick_sum(pixels);
  std::uint64_t offset = std::uint64_t{row} * key_.image_bytes;
  while (!pixels.empty()) {
    const ssize_t done =
        ::pwrite(file_.descriptor(), pixels.data(), pixels.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) {
      throw machine_error("data", "{}: cannot be written: {}: free {} MB, or set $XDG_CACHE_HOME",
                          path_text(path_), std::strerror(errno),
                          key_.images * key_.image_bytes / 1'000'000 + 1);
    }
    offset += static_cast<std::uint64_t>(done);
    pixels = pixels.subspan(static_cast<std::size_t>(done));
  }
}

void DecodedWriter::keep(const std::vector<std::string>& faults) {
  std::string end(text_of(sums_));
  for (std::size_t row = 0; row < faults.size(); ++row) {
    if (!faults[row].empty()) end += fmt::format("{} {}\n", row, one_line(faults[row], 900));
  }
  end += end_digest(end);
  ::lseek(file_.descriptor(), static_cast<off_t>(key_.images * key_.image_bytes), SEEK_SET);
  file_.write(end);
  file_.keep();
}

DecodedPictures decoded_pictures() {
  if (cache_folder().empty()) return {};
  DecodedPictures found{cache_folder() / kFolder, 0};
  std::error_code error;
  for (fs::directory_iterator it(found.folder, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code failed;
    const std::uintmax_t size = it->file_size(failed);
    if (!failed) found.bytes += size;
  }
  return found;
}

void limit_decoded(const fs::path& folder, std::uint64_t most) {
  struct Entry {
    fs::file_time_type used;
    std::uint64_t bytes;
    fs::path path;
  };
  const auto yesterday = fs::file_time_type::clock::now() - std::chrono::hours(24);
  std::vector<Entry> entries;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code failed;
    const Entry entry{it->last_write_time(failed), it->file_size(failed), it->path()};
    if (failed) continue;
    if (is_pending(entry.path) && entry.used < yesterday) {
      fs::remove(entry.path, failed);
    } else {
      entries.push_back(entry);
    }
  }
  std::ranges::sort(entries, std::greater(), &Entry::used);
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    bytes += entries[i].bytes;
    std::error_code ignored;
    if (i > 0 && bytes > most) fs::remove(entries[i].path, ignored);
  }
}

}  // namespace sluice

#include "data/arrays/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <string_view>

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMostZlibPart = std::uint64_t{1} << 30;  // zlib counts in 32 bits

}  // namespace

GzipFile::GzipFile(const fs::path& path)
    : path_(path), most_bytes_(size_of_file(path, "data") * kMostInflation), file_(nullptr) {
  file_ = gzopen(path.c_str(), "rb");
  if (file_ == nullptr) {
    throw user_error("data", "{} cannot be opened: check its permissions", path_text(path));
  }
}

GzipFile::~GzipFile() {
  gzclose(static_cast<gzFile>(file_));
}

std::size_t GzipFile::read(std::span<char> bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto part = std::min<std::uint64_t>(bytes.size() - done, kMostZlibPart);
    const int count =
        gzread(static_cast<gzFile>(file_), bytes.data() + done, static_cast<unsigned>(part));
    int code = Z_OK;
    const char* why = gzerror(static_cast<gzFile>(file_), &code);
    if (code == Z_ERRNO) {
      throw machine_error("data", "cannot read {}: check the disk", path_text(path_));
    }
    if (count < 0 || (count == 0 && code != Z_OK && code != Z_STREAM_END)) {
      throw user_error("data", "{} is damaged ({}): copy it again", path_text(path_), why);
    }
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

std::string GzipFile::take(std::uint64_t count) {
  if (count > most_bytes_) refuse_short();
  std::string bytes;
  constexpr std::uint64_t kStep = 1 << 24;  // a count that lies costs no memory
  while (bytes.size() < count) {
    const std::size_t before = bytes.size();
    bytes.resize(before + std::min(kStep, count - before));
    if (read(std::span(bytes).subspan(before)) < bytes.size() - before) refuse_short();
  }
  return bytes;
}

void GzipFile::skip(std::uint64_t count) {
  char buffer[1 << 14];
  while (count > 0) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(count, sizeof buffer));
    if (read({buffer, part}) < part) refuse_short();
    count -= part;
  }
}

bool GzipFile::at_end() {
  char byte = 0;
  return read({&byte, 1}) == 0;
}

void GzipFile::refuse_short() const {
  throw user_error("data", "{} is cut short: copy it again", path_text(path_));
}

std::string inflate_raw(std::string_view stream, std::uint64_t size, const std::string& name) {
  const auto refuse = [&](const char* why) -> Error {
    return user_error("data", "{} is damaged ({}): copy it again", name, why);
  };
  if (stream.size() > kMostZlibPart || size > kMostZlibPart * 2 ||
      size > stream.size() * kMostInflation) {
    throw refuse("sizes that cannot be");
  }
  std::string bytes(size, '\0');
  z_stream inflater{};
  if (inflateInit2(&inflater, -MAX_WBITS) != Z_OK) {
    throw machine_error("data", "cannot start zlib: free some memory");
  }
  inflater.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(stream.data()));
  inflater.avail_in = static_cast<uInt>(stream.size());
  inflater.next_out = reinterpret_cast<Bytef*>(bytes.data());
  inflater.avail_out = static_cast<uInt>(bytes.size());
  const int code = inflate(&inflater, Z_FINISH);
  const bool whole = code == Z_STREAM_END && inflater.avail_out == 0;
  inflateEnd(&inflater);
  if (!whole) throw refuse("its compression");
  return bytes;
}

}  // namespace sluice

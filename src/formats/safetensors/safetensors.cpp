#include "formats/safetensors/safetensors.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"
#include "formats/safetensors/header.h"

namespace sluice {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors are little endian");

constexpr std::size_t kLength = sizeof(std::uint64_t);  ///< bytes of the header's length
constexpr std::uint64_t kMaxHeader = 100'000'000;       ///< limit of the reference implementation

/// Returns the bytes before the tensors' values.
std::string head_of(const std::vector<NamedTensor>& tensors, const TensorMetadata& metadata) {
  auto header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t offset = 0;
  for (const NamedTensor& tensor : tensors) {
    assert(element_count(tensor.shape) == static_cast<std::int64_t>(tensor.values.size()));
    assert(!header.contains(tensor.name));
    const std::size_t end = offset + tensor.values.size_bytes();
    header[tensor.name] = {
        {"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string json = header.dump();
  json.resize((json.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = json.size();
  std::string head(kLength, '\0');
  std::memcpy(head.data(), &length, kLength);
  return head + json;
}

}  // namespace

std::string_view bytes_of(const NamedTensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size_bytes()};
}

std::string to_safetensors(const std::vector<NamedTensor>& tensors,
                           const TensorMetadata& metadata) {
  std::string bytes = head_of(tensors, metadata);
  for (const NamedTensor& tensor : tensors) bytes += bytes_of(tensor);
  return bytes;
}

void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                       const TensorMetadata& metadata) {
  const std::string head = head_of(tensors, metadata);
  std::vector<std::string_view> parts{head};
  for (const NamedTensor& tensor : tensors) parts.push_back(bytes_of(tensor));
  PendingFile file(path);
  file.write(parts);
  file.keep();
}

Safetensors Safetensors::read(const std::filesystem::path& file) {
  return parse(read_file(file, kMaxSafetensors), path_text(file));
}

Safetensors Safetensors::parse(std::string bytes, const std::string& place) {
  if (bytes.size() < kLength) {
    throw user_error("safetensors", "{} has {} bytes, too few for a header: is the file whole?",
                     place, bytes.size());
  }
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLength);
  if (length > kMaxHeader || length > bytes.size() - kLength) {
    throw user_error(
        "safetensors",
        "{} has {} bytes but announces a header of {}: is it a whole safetensors file?", place,
        bytes.size(), length);
  }
  Safetensors file;
  file.bytes_ = std::move(bytes);
  file.buffer_ = kLength + length;
  SafetensorsHeader header =
      parse_safetensors_header(std::string_view(file.bytes_).substr(kLength, length),
                               file.bytes_.size() - file.buffer_, place);
  file.metadata_ = std::move(header.metadata);
  file.tensors_ = std::move(header.tensors);
  return file;
}

const Safetensors::Tensor* Safetensors::find(std::string_view name) const {
  const auto found = std::find_if(tensors_.begin(), tensors_.end(),
                                  [&](const Tensor& tensor) { return tensor.name == name; });
  return found == tensors_.end() ? nullptr : &*found;
}

void Safetensors::copy(const Tensor& tensor, std::span<float> to) const {
  assert(to.size_bytes() == tensor.end - tensor.begin);
  if (to.empty()) return;  // memcpy does not allow an empty span's null pointer
  std::memcpy(to.data(), bytes_.data() + buffer_ + tensor.begin, to.size_bytes());
}

}  // namespace sluice

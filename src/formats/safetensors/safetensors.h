#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/shape.h"

namespace sluice {

// The safetensors format (https://github.com/huggingface/safetensors, README, "Format"): the
// header's length in 8 bytes, a JSON header, and the tensors' values one after another. Little
// endian. Only fp32 tensors.

/// What a file may have.
constexpr std::uint64_t kMaxSafetensors = std::uint64_t{4} << 30;

using TensorMetadata = std::map<std::string, std::string>;

/// A tensor to be written; it refers to the values.
struct NamedTensor {
  std::string name;
  Shape shape;
  std::span<const float> values;
};

std::string_view bytes_of(const NamedTensor& tensor);

/// The file as bytes. The buffer begins at a multiple of 8, so that readers can map it. Names must
/// be distinct and shapes must fit the values (the caller's promise, checked by assert).
std::string to_safetensors(const std::vector<NamedTensor>& tensors, const TensorMetadata& metadata);

/// Writes such a file without a copy of the values, by a PendingFile. Throws Error as it does.
void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                       const TensorMetadata& metadata);

/// A file that was read and found to keep every rule of the format: no byte of the buffer without
/// its tensor, none in two, no name twice.
class Safetensors {
 public:
  struct Tensor {
    std::string name;
    Shape shape;
    std::size_t begin = 0;  ///< in the buffer, in bytes
    std::size_t end = 0;
  };

  /// Throws Error (user) naming the file and what is wrong with it.
  static Safetensors read(const std::filesystem::path& file);
  /// The same for bytes in memory; messages start with `place`.
  static Safetensors parse(std::string bytes, const std::string& place);

  const TensorMetadata& metadata() const { return metadata_; }
  /// In the order of the buffer.
  const std::vector<Tensor>& tensors() const { return tensors_; }
  /// nullptr if there is none of this name.
  const Tensor* find(std::string_view name) const;
  std::string_view bytes(const Tensor& tensor) const {
    return std::string_view(bytes_).substr(buffer_ + tensor.begin, tensor.end - tensor.begin);
  }
  /// `to` has as many values as the tensor.
  void copy(const Tensor& tensor, std::span<float> to) const;

 private:
  Safetensors() = default;

  std::string bytes_;
  std::size_t buffer_ = 0;  ///< where the buffer begins
  TensorMetadata metadata_;
  std::vector<Tensor> tensors_;
};

}  // namespace sluice

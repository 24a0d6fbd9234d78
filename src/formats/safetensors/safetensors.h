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
// header's length in 8 bytes, a JSON header, and the values of all tensors. It is little endian.
// Only fp32 tensors are supported.

/// Maximum size of a file in bytes.
constexpr std::uint64_t kMaxSafetensors = std::uint64_t{4} << 30;

using TensorMetadata = std::map<std::string, std::string>;

/// A tensor to write; it refers to the values.
struct NamedTensor {
  std::string name;
  Shape shape;
  std::span<const float> values;
};

std::string_view bytes_of(const NamedTensor& tensor);

/// Returns a file's bytes. The buffer begins at a multiple of 8, so that readers can map it. Names
/// must be distinct and shapes must fit the values; assert checks this.
std::string to_safetensors(const std::vector<NamedTensor>& tensors, const TensorMetadata& metadata);

/// Writes a file without a copy of the values, by a PendingFile. Throws Error as it does.
void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                       const TensorMetadata& metadata);

/// A valid file in memory: every byte of the buffer belongs to exactly one tensor, and names are
/// distinct.
class Safetensors {
 public:
  struct Tensor {
    std::string name;
    Shape shape;
    std::size_t begin = 0;  ///< in the buffer, in bytes
    std::size_t end = 0;
  };

  /// Reads a file. Throws Error (user) with the file and the reason if it is not valid.
  static Safetensors read(const std::filesystem::path& file);
  /// Parses bytes in memory; error messages start with `place`.
  static Safetensors parse(std::string bytes, const std::string& place);

  const TensorMetadata& metadata() const { return metadata_; }
  /// Tensors in the order of the buffer.
  const std::vector<Tensor>& tensors() const { return tensors_; }
  /// Returns nullptr if no tensor has this name.
  const Tensor* find(std::string_view name) const;
  std::string_view bytes(const Tensor& tensor) const {
    return std::string_view(bytes_).substr(buffer_ + tensor.begin, tensor.end - tensor.begin);
  }
  /// Copies a tensor's values; `to` must have as many.
  void copy(const Tensor& tensor, std::span<float> to) const;

 private:
  Safetensors() = default;

  std::string bytes_;
  std::size_t buffer_ = 0;  ///< offset of the buffer
  TensorMetadata metadata_;
  std::vector<Tensor> tensors_;
};

}  // namespace sluice

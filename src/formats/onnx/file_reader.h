#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/shape.h"

namespace sluice {

// An ONNX file as it stands. Texts and values are views of the file's bytes, which must outlive it.

struct OnnxTensor {
  std::string_view name;
  Shape dims;                        ///< empty for one number
  int type = 0;                      ///< TensorProto::DataType
  std::string_view raw;              ///< values, little endian; or they are in the next two
  std::vector<std::int64_t> ints{};  ///< also the bits of half precision
  std::vector<float> reals{};

  bool is_real() const;
  bool is_whole() const;
};

struct OnnxAttribute {
  std::string_view name;
  std::int64_t whole = 0;
  float real = 0;
  std::string_view text;
  std::vector<std::int64_t> wholes{};
  std::vector<float> reals{};
  std::vector<OnnxTensor> tensor{};  ///< at most one
};

struct OnnxNode {
  std::string_view name;
  std::string_view op;
  std::string_view domain;
  std::vector<std::string_view> inputs{};  ///< an empty one is left out
  std::vector<std::string_view> outputs{};
  std::vector<OnnxAttribute> attributes{};
};

struct OnnxValueInfo {
  std::string_view name;
  int type = 0;          ///< TensorProto::DataType
  Shape dims;            ///< with the batch; -1 where the size is open
  bool is_open = false;  ///< it has no shape
};

struct OnnxModel {
  std::int64_t opset = 0;
  std::string_view producer;
  std::map<std::string, std::string> metadata{};
  std::vector<OnnxNode> nodes{};
  std::vector<OnnxTensor> tensors{};    ///< initializers
  std::vector<OnnxValueInfo> inputs{};  ///< also initializers in old files
  std::vector<OnnxValueInfo> outputs{};
};

/// Values of ONNX's TensorProto::DataType.
namespace onnx_type {
constexpr int kFloat = 1, kUint8 = 2, kInt32 = 6, kInt64 = 7, kBool = 9, kFloat16 = 10,
              kDouble = 11, kBfloat16 = 16;
}

/// Throws Error (user), starting with `place`, for bytes that are no ONNX model, tensors whose
/// values are not as many as their shapes say or in another file, and more than Sluice reads.
OnnxModel read_onnx_model(std::string_view bytes, const std::string& place);

/// The values of a tensor in single precision, or as whole numbers. It must be is_real() or
/// is_whole().
std::vector<float> reals_of(const OnnxTensor& tensor);
std::vector<std::int64_t> wholes_of(const OnnxTensor& tensor);

}  // namespace sluice

#include "formats/onnx/file_reader.h"

#include <bit>
#include <cstring>

#include "base/fail.h"
#include "base/text.h"
#include "formats/onnx/wire.h"

namespace sluice {
namespace {

// No network of images comes near these.
constexpr std::size_t kMostNodes = 1 << 14;
constexpr std::size_t kMostTensors = 1 << 16;
constexpr std::size_t kMostAttributes = 64;
constexpr std::size_t kMostAxesOfTensors = 8;
constexpr std::int64_t kMostElements = std::int64_t{1} << 31;

std::size_t bytes_of_type(int type) {
  switch (type) {
    case onnx_type::kBool:
    case onnx_type::kUint8:
      return 1;
    case onnx_type::kFloat16:
    case onnx_type::kBfloat16:
      return 2;
    case onnx_type::kFloat:
    case onnx_type::kInt32:
      return 4;
    case onnx_type::kDouble:
    case onnx_type::kInt64:
      return 8;
    default:
      return 0;
  }
}

/// Half precision by the definition of IEEE 754.
float from_half(std::uint16_t half) {
  const std::uint32_t sign = std::uint32_t{half & 0x8000U} << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1FU;
  const std::uint32_t fraction = half & 0x3FFU;
  if (exponent == 0) {
    const float small = static_cast<float>(fraction) * 0x1p-24f;
    return sign != 0 ? -small : small;
  }
  const std::uint32_t wide = exponent == 0x1F ? 0xFF : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

float from_bits(int type, std::uint16_t bits) {
  return type == onnx_type::kFloat16 ? from_half(bits)
                                     : std::bit_cast<float>(std::uint32_t{bits} << 16);
}

template <class Stored, class Number, class Convert>
std::vector<Number> converted(std::string_view raw, const Convert& convert) {
  std::vector<Number> numbers(raw.size() / sizeof(Stored));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, raw.data() + i * sizeof stored, sizeof stored);
    numbers[i] = convert(stored);
  }
  return numbers;
}

class FileReader {
 public:
  explicit FileReader(const std::string& place) : place_(place) {}

  OnnxModel model(std::string_view bytes) const {
    OnnxModel model;
    std::string_view graph;
    for_each_field(bytes, [&](const WireField& field) {
      if (field.number == 2) model.producer = text(field);
      if (field.number == 7) graph = text(field);
      if (field.number == 8) read_opset(text(field), model);
      if (field.number == 14) read_metadata(text(field), model);
    });
    if (graph.empty()) throw user_error("onnx", "{}: it has no graph", place_);
    for_each_field(graph, [&](const WireField& field) {
      switch (field.number) {
        case 1:
          push(model.nodes, node(text(field)), kMostNodes, "nodes");
          break;
        case 5:
          push(model.tensors, tensor(text(field)), kMostTensors, "tensors");
          break;
        case 11:
          push(model.inputs, value_info(text(field)), kMostTensors, "inputs");
          break;
        case 12:
          push(model.outputs, value_info(text(field)), kMostTensors, "outputs");
          break;
        case 15:
          throw user_error("onnx", "{}: it has sparse tensors: save it with dense ones", place_);
        default:
          break;
      }
    });
    return model;
  }

 private:
  template <class See>
  void for_each_field(std::string_view message, const See& see) const {
    WireReader reader(message, place_);
    for (WireField field; reader.next(field);) see(field);
  }

  std::string_view text(const WireField& field) const {
    if (field.has_bytes) return field.bytes;
    throw user_error("onnx", "{}: field {} of its protobuf is no text or message", place_,
                     field.number);
  }

  template <class T>
  void push(std::vector<T>& list, T each, std::size_t most, const char* what) const {
    if (list.size() == most) {
      throw user_error("onnx", "{}: it has more than {} {}, and Sluice reads as many", place_, most,
                       what);
    }
    list.push_back(std::move(each));
  }

  /// A repeated number: packed or by itself.
  void take_wholes(const WireField& field, std::vector<std::int64_t>& to) const {
    if (!field.has_bytes) return to.push_back(static_cast<std::int64_t>(field.value));
    WireReader reader(field.bytes, place_);
    for (std::uint64_t value = 0; reader.next_varint(value);) {
      to.push_back(static_cast<std::int64_t>(value));
    }
  }

  template <class Stored>
  void take_reals(const WireField& field, std::vector<float>& to) const {
    if (!field.has_bytes) {
      to.push_back(sizeof(Stored) == sizeof(float)
                       ? field.real()
                       : static_cast<float>(std::bit_cast<double>(field.value)));
      return;
    }
    const auto reals = converted<Stored, float>(
        field.bytes, [](Stored value) { return static_cast<float>(value); });
    to.insert(to.end(), reals.begin(), reals.end());
  }

  void read_opset(std::string_view bytes, OnnxModel& model) const {
    std::string_view domain;
    std::int64_t version = 0;
    for_each_field(bytes, [&](const WireField& field) {
      if (field.number == 1) domain = text(field);
      if (field.number == 2) version = static_cast<std::int64_t>(field.value);
    });
    if (domain.empty() || domain == "ai.onnx") model.opset = version;
  }

  void read_metadata(std::string_view bytes, OnnxModel& model) const {
    constexpr std::size_t kMostEntries = 1000;
    std::string key;
    std::string value;
    for_each_field(bytes, [&](const WireField& field) {
      if (field.number == 1) key = text(field);
      if (field.number == 2) value = text(field);
    });
    if (model.metadata.size() < kMostEntries) model.metadata.emplace(key, value);
  }

  OnnxNode node(std::string_view bytes) const {
    OnnxNode node;
    for_each_field(bytes, [&](const WireField& field) {
      if (field.number == 1) node.inputs.push_back(text(field));
      if (field.number == 2) node.outputs.push_back(text(field));
      if (field.number == 3) node.name = text(field);
      if (field.number == 4) node.op = text(field);
      if (field.number == 5) {
        push(node.attributes, attribute(text(field)), kMostAttributes, "attributes of a node");
      }
      if (field.number == 7) node.domain = text(field);
    });
    return node;
  }

  OnnxAttribute attribute(std::string_view bytes) const {
    OnnxAttribute attribute;
    for_each_field(bytes, [&](const WireField& field) {
      if (field.number == 1) attribute.name = text(field);
      if (field.number == 2) attribute.real = field.real();
      if (field.number == 3) attribute.whole = static_cast<std::int64_t>(field.value);
      if (field.number == 4) attribute.text = text(field);
      if (field.number == 5) attribute.tensor = {tensor(text(field))};
      if (field.number == 7) take_reals<float>(field, attribute.reals);
      if (field.number == 8) take_wholes(field, attribute.wholes);
    });
    return attribute;
  }

  OnnxTensor tensor(std::string_view bytes) const {
    OnnxTensor tensor;
    bool external = false;
    for_each_field(bytes, [&](const WireField& field) {
      if (field.number == 1) take_wholes(field, tensor.dims);
      if (field.number == 2) tensor.type = static_cast<int>(field.value & 0xFF);
      if (field.number == 4) take_reals<float>(field, tensor.reals);
      if (field.number == 5 || field.number == 7) take_wholes(field, tensor.ints);
      if (field.number == 8) tensor.name = text(field);
      if (field.number == 9) tensor.raw = text(field);
      if (field.number == 10) take_reals<double>(field, tensor.reals);
      if (field.number == 13 || (field.number == 14 && field.value != 0)) external = true;
    });
    if (external) {
      throw user_error("onnx",
                       "{}: the values of tensor '{}' are in another file: save the model as one "
                       "file, in Python by onnx.save(onnx.load(PATH), \"one.onnx\"), or in PyTorch "
                       "by torch.onnx.export(..., external_data=False)",
                       place_, one_line(tensor.name));
    }
    check(tensor);
    return tensor;
  }

  void check(const OnnxTensor& tensor) const {
    std::int64_t elements = 1;
    bool valid = tensor.dims.size() <= kMostAxesOfTensors;
    for (const std::int64_t size : tensor.dims) {
      valid = valid && size >= 0 && size <= kMostElements && (elements *= size) <= kMostElements;
    }
    const std::size_t bytes = bytes_of_type(tensor.type);
    if (valid && bytes != 0) {
      const auto count = static_cast<std::size_t>(elements);
      const std::size_t found = !tensor.raw.empty() ? tensor.raw.size() / bytes
                                                    : tensor.ints.size() + tensor.reals.size();
      valid = count == found && tensor.raw.size() % bytes == 0 &&
              (!tensor.raw.empty() || found == 0 || tensor.reals.empty() == holds_ints(tensor));
    }
    if (valid) return;
    throw user_error("onnx",
                     "{}: tensor '{}' has other values than its shape {} says: save it again",
                     place_, one_line(tensor.name), to_string(tensor.dims));
  }

  static bool holds_ints(const OnnxTensor& tensor) {
    return tensor.type != onnx_type::kFloat && tensor.type != onnx_type::kDouble;
  }

  OnnxValueInfo value_info(std::string_view bytes) const {
    OnnxValueInfo info;
    std::string_view type;
    for_each_field(bytes, [&](const WireField& field) {
      if (field.number == 1) info.name = text(field);
      if (field.number == 2) type = text(field);
    });
    std::string_view tensor;
    for_each_field(type, [&](const WireField& field) {
      if (field.number == 1) tensor = text(field);
    });
    info.is_open = true;
    for_each_field(tensor, [&](const WireField& field) {
      if (field.number == 1) info.type = static_cast<int>(field.value & 0xFF);
      if (field.number != 2) return;
      info.is_open = false;
      for_each_field(text(field), [&](const WireField& each) {
        if (each.number == 1) push(info.dims, size_of_axis(text(each)), kMostAxesOfTensors, "axes");
      });
    });
    return info;
  }

  std::int64_t size_of_axis(std::string_view bytes) const {
    std::int64_t size = -1;
    for_each_field(bytes, [&](const WireField& field) {
      if (field.number == 1) size = static_cast<std::int64_t>(field.value);
    });
    return size > 0 ? size : -1;
  }

  const std::string& place_;
};

}  // namespace

bool OnnxTensor::is_real() const {
  return type == onnx_type::kFloat || type == onnx_type::kDouble || type == onnx_type::kFloat16 ||
         type == onnx_type::kBfloat16;
}

bool OnnxTensor::is_whole() const {
  return type == onnx_type::kInt64 || type == onnx_type::kInt32 || type == onnx_type::kBool;
}

OnnxModel read_onnx_model(std::string_view bytes, const std::string& place) {
  return FileReader(place).model(bytes);
}

std::vector<float> reals_of(const OnnxTensor& tensor) {
  if (!tensor.reals.empty()) return tensor.reals;
  std::vector<float> reals;
  for (const std::int64_t bits : tensor.ints) {
    reals.push_back(from_bits(tensor.type, static_cast<std::uint16_t>(bits)));
  }
  if (!reals.empty()) return reals;
  if (tensor.type == onnx_type::kFloat) {
    return converted<float, float>(tensor.raw, [](float value) { return value; });
  }
  if (tensor.type == onnx_type::kDouble) {
    return converted<double, float>(tensor.raw,
                                    [](double value) { return static_cast<float>(value); });
  }
  return converted<std::uint16_t, float>(
      tensor.raw, [&](std::uint16_t value) { return from_bits(tensor.type, value); });
}

std::vector<std::int64_t> wholes_of(const OnnxTensor& tensor) {
  const auto widened = [](auto value) { return static_cast<std::int64_t>(value); };
  if (!tensor.ints.empty()) return tensor.ints;
  if (tensor.type == onnx_type::kInt64) {
    return converted<std::int64_t, std::int64_t>(tensor.raw, widened);
  }
  if (tensor.type == onnx_type::kInt32) {
    return converted<std::int32_t, std::int64_t>(tensor.raw, widened);
  }
  return converted<std::uint8_t, std::int64_t>(tensor.raw, widened);
}

}  // namespace sluice

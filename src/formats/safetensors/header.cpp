#include "formats/safetensors/header.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "base/fail.h"
#include "base/text.h"

namespace sluice {
namespace {

using Tensor = Safetensors::Tensor;

/// Parses the header event by event and stops at the first invalid one. It stores only tensors and
/// metadata, so that malicious JSON of any depth or size is safe.
class HeaderHandler : public nlohmann::json_sax<nlohmann::json> {
 public:
  HeaderHandler(SafetensorsHeader& header, const std::string& place)
      : header_(header), place_(place) {}

  bool start_object(std::size_t) override {
    if (in_ == In::start) {
      in_ = In::file;
    } else if (in_ == In::file && key_ == "__metadata__") {
      in_ = In::metadata;
    } else if (in_ == In::file) {
      in_ = In::tensor;
      tensor_ = {};
      tensor_.name = key_;
      fields_.clear();
    } else {
      refuse("an object");
    }
    return true;
  }

  bool end_object() override {
    if (in_ == In::tensor) {
      for (const char* field : {"dtype", "shape", "data_offsets"}) {
        if (fields_.count(field) == 0) fail("tensor '{}' has no {}", name(), field);
      }
      header_.tensors.push_back(std::move(tensor_));
    }
    in_ = in_ == In::file ? In::end : In::file;
    return true;
  }

  bool key(std::string& text) override {
    key_ = text;
    if (in_ == In::file) {
      if (!names_.insert(text).second) fail("'{}' occurs twice", one_line(text));
    } else if (in_ == In::metadata) {
      if (header_.metadata.count(text) > 0) fail("metadata '{}' occurs twice", one_line(text));
    } else {
      if (text != "dtype" && text != "shape" && text != "data_offsets") {
        fail("tensor '{}' has the unknown field '{}'", name(), one_line(text));
      }
      if (!fields_.insert(text).second) fail("tensor '{}' has two of {}", name(), text);
    }
    return true;
  }

  bool string(std::string& text) override {
    if (in_ == In::metadata) {
      header_.metadata.emplace(key_, text);
    } else if (in_ == In::tensor && key_ == "dtype") {
      if (text != "F32") {
        fail("tensor '{}' has the type {}, and only F32 is read: save it as float32", name(),
             one_line(text));
      }
    } else {
      refuse("a string");
    }
    return true;
  }

  bool start_array(std::size_t) override {
    if (in_ != In::tensor || key_ == "dtype") refuse("a list");
    in_ = key_ == "shape" ? In::shape : In::offsets;
    offsets_ = 0;
    return true;
  }

  bool end_array() override {
    if (in_ == In::offsets && offsets_ != 2) offsets_wrong();
    in_ = In::tensor;
    return true;
  }

  bool number_unsigned(std::uint64_t number) override {
    constexpr std::size_t kMaxRank = 32;  // as in NumPy
    if (in_ == In::shape) {
      if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        fail("tensor '{}' has a size of {}, which no tensor can have", name(), number);
      }
      if (tensor_.shape.size() == kMaxRank) {
        fail("tensor '{}' has more than {} axes", name(), kMaxRank);
      }
      tensor_.shape.push_back(static_cast<std::int64_t>(number));
    } else if (in_ == In::offsets) {
      if (offsets_ == 2) offsets_wrong();
      (offsets_ == 0 ? tensor_.begin : tensor_.end) = number;
      ++offsets_;
    } else {
      refuse("a number");
    }
    return true;
  }

  bool null() override { refuse("null"); }
  bool boolean(bool) override { refuse("a truth value"); }
  bool number_integer(std::int64_t) override { refuse("a negative number"); }
  bool number_float(double, const std::string&) override { refuse("a number with a fraction"); }
  bool binary(nlohmann::json::binary_t&) override { refuse("binary data"); }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception&) override {
    fail("the header is not valid JSON at byte {}", position);
  }

 private:
  enum class In { start, file, metadata, tensor, shape, offsets, end };

  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    throw user_error("safetensors", "{}: {}", place_,
                     fmt::format(format, std::forward<Args>(args)...));
  }
  [[noreturn]] void refuse(const char* what) const {
    if (in_ == In::start) fail("the header is {}, not an object", what);
    if (in_ == In::metadata) fail("metadata '{}' is {}, not a string", one_line(key_), what);
    if (in_ == In::file) fail("'{}' is {}, not a tensor", one_line(key_), what);
    fail("tensor '{}' has {} in its {}", name(), what, key_);
  }
  [[noreturn]] void offsets_wrong() const {
    fail("tensor '{}' must have two data_offsets, a begin and an end", name());
  }
  std::string name() const { return one_line(tensor_.name); }

  SafetensorsHeader& header_;
  const std::string& place_;
  In in_ = In::start;
  std::string key_;
  std::set<std::string> names_;
  std::set<std::string> fields_;
  Tensor tensor_;
  int offsets_ = 0;
};

/// Requires that the tensors cover the buffer from first to last byte, each with the size of its
/// shape.
void check_offsets(const std::vector<Tensor>& tensors, std::size_t buffer_bytes,
                   const std::string& place) {
  std::size_t expected = 0;
  for (const Tensor& tensor : tensors) {
    const std::string name = one_line(tensor.name);
    const std::string where =
        fmt::format("{}: tensor '{}' at {} to {}", place, name, tensor.begin, tensor.end);
    if (tensor.begin > tensor.end)
      throw user_error("safetensors", "{} ends before it begins", where);
    if (tensor.end > buffer_bytes) {
      throw user_error("safetensors",
                       "{} ends after the {} bytes of the buffer: is the file whole?", where,
                       buffer_bytes);
    }
    std::int64_t bytes = sizeof(float);
    bool overflow = false;
    for (const std::int64_t size : tensor.shape) {
      overflow = overflow || __builtin_mul_overflow(bytes, size, &bytes);
    }
    if (overflow || static_cast<std::size_t>(bytes) != tensor.end - tensor.begin) {
      throw user_error("safetensors", "{} does not have the size of its shape {}", where,
                       to_string(tensor.shape));
    }
    if (tensor.begin != expected) {
      throw user_error("safetensors", "{} {} the one before it, which ends at {}", where,
                       tensor.begin < expected ? "overlaps" : "leaves a hole after", expected);
    }
    expected = tensor.end;
  }
  if (expected != buffer_bytes) {
    throw user_error("safetensors", "{}: the tensors end at {}, but there are {} bytes", place,
                     expected, buffer_bytes);
  }
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json, std::size_t buffer_bytes,
                                           const std::string& place) {
  // nlohmann stops at a zero byte and would ignore the rest.
  const std::size_t zero = json.find('\0');
  if (json.empty() || json.front() != '{' || zero != std::string_view::npos) {
    throw user_error("safetensors", "{}: the header is not JSON that begins with '{{'", place);
  }
  SafetensorsHeader header;
  HeaderHandler handler(header, place);
  nlohmann::json::sax_parse(json.begin(), json.end(), &handler);
  std::sort(header.tensors.begin(), header.tensors.end(), [](const Tensor& a, const Tensor& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  check_offsets(header.tensors, buffer_bytes, place);
  return header;
}

}  // namespace sluice

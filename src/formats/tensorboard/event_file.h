#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/files.h"

namespace sluice {

/// A file of events, which TensorBoard reads while it grows: records in TensorFlow's TFRecord
/// format, each an Event of tensorboard/compat/proto/event.proto.
class EventFile {
 public:
  /// Makes missing folders, and in the last one a file with a name that TensorBoard finds. Throws
  /// Error as write_file() does.
  explicit EventFile(const std::filesystem::path& folder);

  /// Adds one point of the curve `tag`.
  void add_scalar(const std::string& tag, std::int64_t step, float value);

 private:
  void add(const std::string& event);

  OutputFile file_;
};

/// Returns the checksum of TFRecord: CRC-32C, rotated and offset, so that a CRC over data with CRCs
/// stays useful.
std::uint32_t masked_crc(std::string_view bytes);

}  // namespace sluice

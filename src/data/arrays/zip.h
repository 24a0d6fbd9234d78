#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Files of a zip archive in memory, stored or deflated. Members throw Error (user), with the
/// archive's name, if it is damaged, encrypted, or packed in another way.
class ZipFile {
 public:
  explicit ZipFile(const std::filesystem::path& path);

  /// Lists the names of all files.
  std::vector<std::string> names() const;
  /// Returns the content of a file that names() lists.
  std::string read(std::string_view name) const;

 private:
  struct Member {
    std::string name;
    unsigned method;
    std::uint64_t checksum;  ///< CRC-32 of the content
    std::uint64_t packed;
    std::uint64_t size;
    std::uint64_t offset;
  };

  std::string content_of(const Member& member) const;
  [[noreturn]] void refuse(std::string_view why) const;
  std::string_view part(std::uint64_t at, std::uint64_t count) const;
  std::uint64_t number(std::uint64_t at, int bytes) const;

  std::string path_;
  std::string bytes_;
  std::vector<Member> members_;
};

}  // namespace sluice

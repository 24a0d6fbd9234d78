#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct ZipMember {
  std::string name;
  std::string_view bytes;
};

/// A zip file of these members, stored without compression as Keras does: trained weights hardly
/// shrink. The same members give the same bytes. Throws Error (machine).
std::string to_zip(const std::vector<ZipMember>& members);

/// The members that are asked for and there, each at most as long as it is mapped to. Throws Error
/// (user) naming `place`. The bytes may be a stranger's: call it in a process of its own.
std::map<std::string, std::string> read_zip(std::string_view bytes,
                                            const std::map<std::string, std::uint64_t>& wanted,
                                            const std::string& place);

}  // namespace sluice

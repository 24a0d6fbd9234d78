#include "io/keras_names.h"

#include <set>

#include "base/fail.h"
#include "base/text.h"

namespace sluice {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxNames = 100'000;
constexpr std::size_t kMaxLength = 1000;

std::vector<std::string> names_in(const Json& object, const char* key, const std::string& place) {
  std::vector<std::string> names;
  const auto found = object.find(key);
  if (found == object.end()) return names;
  bool valid = found->is_array() && found->size() <= kMaxNames;
  for (std::size_t i = 0; valid && i < found->size(); ++i) {
    valid =
        (*found)[i].is_string() && (*found)[i].get_ref<const std::string&>().size() <= kMaxLength;
    if (valid) names.push_back((*found)[i].get<std::string>());
  }
  if (!valid) throw user_error("keras", "{}: {} in metadata.json are not names", place, key);
  return names;
}

}  // namespace

std::vector<std::string> class_names_in(const Json& sluice, std::size_t outputs,
                                        const std::string& place) {
  if (!sluice.is_object()) return {};
  std::vector<std::string> names = names_in(sluice, "class_names", place);
  if (!names.empty() && names.size() != outputs) {
    throw user_error("keras", "{}: {} class_names in metadata.json are not those of {} outputs",
                     place, names.size(), outputs);
  }
  return names;
}

std::vector<Groups::Group> groups_in(const Json& sluice, const std::string& place) {
  std::vector<Groups::Group> groups;
  if (!sluice.is_object() || !sluice.contains("groups")) return groups;
  const Json& list = sluice["groups"];
  bool valid = list.is_array() && list.size() <= kMaxNames;
  for (std::size_t i = 0; valid && i < list.size(); ++i) {
    valid = list[i].is_object() && list[i].contains("name") && list[i]["name"].is_string();
    if (!valid) break;
    groups.push_back({list[i]["name"].get<std::string>(), names_in(list[i], "classes", place)});
  }
  if (!valid) throw user_error("keras", "{}: groups in metadata.json are not groups", place);
  return groups;
}

void check_group_names(const std::vector<Groups::Group>& groups, const std::string& place) {
  std::set<std::string> seen;
  for (const Groups::Group& group : groups) {
    if (!is_plain_name(group.name)) {
      throw user_error("keras", "{}: '{}' is no group's name: use letters, digits, - and _", place,
                       one_line(group.name));
    }
    if (!seen.insert(group.name).second) {
      throw user_error("keras", "{}: two groups are named '{}'", place, group.name);
    }
  }
  if (groups.size() < 2) {
    throw user_error("keras", "{}: a mixture has two groups at least, not {}", place,
                     groups.size());
  }
}

}  // namespace sluice

#include "formats/model/model_notes.h"

#include <cmath>

#include "base/fail.h"
#include "base/text.h"
#include "formats/text/json_text.h"

namespace sluice {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

constexpr const char* kClassNames = "class_names";
constexpr const char* kNormalization = "normalization";
constexpr const char* kGroups = "groups";
constexpr const char* kResize = "resize";
constexpr const char* kExifOrientation = "exif_orientation";
constexpr double kScale = 1.0 / 255;  ///< factor from a pixel's value to the network's input

/// Returns the normalization of the data, with the names of Keras's Rescaling.
OrderedJson normalization() {
  return {{"scale", kScale}, {"offset", 0}};
}

[[noreturn]] void fail(const std::string& place, const char* key, const std::string& wanted) {
  throw user_error("model", "{}: {} in its metadata must be {}", place, key, wanted);
}

std::size_t outputs_of(const Sequential& model) {
  return static_cast<std::size_t>(summarize(model).back().output.front());
}

[[noreturn]] void fail_class_names(const Sequential& model, const std::string& place) {
  fail(place, kClassNames,
       fmt::format("a list of {} names, one for each output", outputs_of(model)));
}

void require_names_fit(const Sequential& model, const std::vector<std::string>& names,
                       const std::string& place) {
  if (names.size() != outputs_of(model)) fail_class_names(model, place);
}

void require_groups_fit(const SavedMixture& saved, const std::string& place) {
  if (saved.groups.size() != saved.model.branches.size())
    fail(place, kGroups, "one for each branch");
  for (std::size_t g = 0; g < saved.groups.size(); ++g) {
    if (saved.groups[g].name != saved.model.branches[g].group) {
      fail(place, kGroups, "in the order of the branches");
    }
  }
  const Groups checked(saved.groups, saved.class_names, place + ": " + kGroups);
}

/// Reads the notes of one file.
class NotesReader {
 public:
  NotesReader(const ModelNotes& notes, std::string place)
      : notes_(notes), place_(std::move(place)) {}

  void operator()(SavedModel& saved) const {
    require_normalization();
    take_resize(saved.resize);
    take_exif_orientation(saved.exif_orientation);
    take_class_names(saved.model, saved.class_names);
  }

  void operator()(SavedMixture& saved) const {
    require_normalization();
    take_resize(saved.resize);
    take_exif_orientation(saved.exif_orientation);
    take_class_names(saved.model.baseline, saved.class_names);
    if (!notes_.contains(kGroups)) return;
    saved.groups = groups();
    require_groups_fit(saved, place_);
  }

  std::vector<Groups::Group> groups() const {
    const Json list = json(kGroups, 3);
    std::vector<Groups::Group> groups;
    for (const Json& group : list) {
      const bool sound = list.is_array() && group.is_object() && group.contains("name") &&
                         group["name"].is_string() && group.contains("classes") &&
                         group["classes"].is_array();
      if (!sound) fail(place_, kGroups, "a list of {\"name\": ..., \"classes\": [...]}");
      groups.push_back({group["name"].get<std::string>(), names(kGroups, group["classes"])});
    }
    return groups;
  }

 private:
  Json json(const char* key, int depth) const {
    const auto found = notes_.find(key);
    if (found == notes_.end()) throw user_error("model", "{}: its metadata has no {}", place_, key);
    return parse_json(found->second, depth, "model", fmt::format("{}: {}", place_, key));
  }

  std::vector<std::string> names(const char* key, const Json& list) const {
    std::vector<std::string> names;
    for (const Json& name : list) {
      const std::string* text = name.get_ptr<const std::string*>();
      if (text == nullptr) fail(place_, key, "made of strings");
      names.push_back(*text);
    }
    return names;
  }

  void take_resize(Resize& to) const {
    if (!notes_.contains(kResize)) return;
    const Json name = json(kResize, 1);
    for (const Resize each : {Resize::stretch, Resize::crop, Resize::pad}) {
      if (name != to_string(each)) continue;
      to = each;
      return;
    }
    fail(place_, kResize, "\"stretch\", \"crop\" or \"pad\"");
  }

  void take_exif_orientation(bool& to) const {
    if (!notes_.contains(kExifOrientation)) return;
    const Json value = json(kExifOrientation, 1);
    if (!value.is_boolean()) fail(place_, kExifOrientation, "true or false");
    to = value.get<bool>();
  }

  void take_class_names(const Sequential& model, std::vector<std::string>& to) const {
    if (!notes_.contains(kClassNames)) return;
    const Json list = json(kClassNames, 1);
    if (!list.is_array()) fail_class_names(model, place_);
    to = names(kClassNames, list);
    require_names_fit(model, to, place_);
  }

  /// Requires Sluice's normalization of data, because another would give wrong predictions.
  void require_normalization() const {
    const OrderedJson wanted = normalization();
    const Json found = json(kNormalization, 1);
    const auto same = [&](const char* key) {
      return found.contains(key) && found[key].is_number() &&
             std::abs(found[key].get<double>() - wanted[key].get<double>()) < 1e-9;
    };
    if (!found.is_object() || found.size() != 2 || !same("scale") || !same("offset")) {
      fail(place_, kNormalization, wanted.dump() + ", the normalization that sluice uses");
    }
  }

  const ModelNotes& notes_;
  std::string place_;
};

}  // namespace

ModelNotes notes_of(const AnyModel& model) {
  ModelNotes notes;
  const auto add = [&](const char* key, const OrderedJson& value) {
    // Names from folders and other programs may not be UTF-8.
    notes[key] = value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  };
  add(kNormalization, normalization());
  const auto& class_names = std::visit(
      [](const auto& saved) -> const auto& { return saved.class_names; }, model);
  if (!class_names.empty()) add(kClassNames, class_names);
  const Resize resize = std::visit([](const auto& saved) { return saved.resize; }, model);
  if (resize != Resize::stretch) add(kResize, to_string(resize));
  if (!std::visit([](const auto& saved) { return saved.exif_orientation; }, model)) {
    add(kExifOrientation, false);
  }
  const auto* mixture = std::get_if<SavedMixture>(&model);
  if (mixture == nullptr || mixture->groups.empty()) return notes;
  OrderedJson groups = OrderedJson::array();
  for (const Groups::Group& group : mixture->groups) {
    groups.push_back({{"name", group.name}, {"classes", group.classes}});
  }
  add(kGroups, groups);
  return notes;
}

void require_notes_fit(const AnyModel& model, const std::string& place) {
  if (const auto* network = std::get_if<SavedModel>(&model)) {
    if (!network->class_names.empty())
      require_names_fit(network->model, network->class_names, place);
    return;
  }
  const auto& mixture = std::get<SavedMixture>(model);
  if (mixture.class_names.empty()) return;  // then an import's groups have no classes
  require_names_fit(mixture.model.baseline, mixture.class_names, place);
  if (!mixture.groups.empty()) require_groups_fit(mixture, place);
}

void take_notes(const ModelNotes& notes, AnyModel& model, const std::string& place) {
  std::visit(NotesReader(notes, place), model);
}

std::vector<Groups::Group> groups_in(const ModelNotes& notes, const std::string& place) {
  if (!notes.contains(kGroups)) return {};
  return NotesReader(notes, place).groups();
}

}  // namespace sluice

#include "run/run_data.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/fail.h"
#include "base/text.h"
#include "lab/images_for_choices.h"

namespace sluice {

std::string training_in_words(const RunFolder& run, const DataRecord& record) {
  return fmt::format("{} was trained on {}{}", path_text(run.path()), one_line(record.name),
                     record.place == "builtin" ? "" : " in " + path_text(record.place));
}

bool same_images(const DataRecord& before, const DataRecord& now) {
  const bool same_validation = before.validation.images == 0
                                   ? now.validation.images == 0
                                   : now.validation.sha256 == before.validation.sha256;
  return now.train.sha256 == before.train.sha256 && now.test.sha256 == before.test.sha256 &&
         same_validation;
}

void require_validation(const LabOptions& lab, bool has_images, const std::string& place) {
  require_images_for_choices(lab, has_images, place);
  const EarlyStopping& stopping = lab.early_stopping;
  if (!stopping.enabled || !stopping.monitor.starts_with("val_")) return;
  if (has_images || lab.validation_split > 0 || lab.stop_on_test_images) return;
  throw user_error("experiment",
                   "{}: early stopping would choose by the test images: set "
                   "train.validation_split=0.1, or train.early_stopping.on_test_images=true",
                   place);
}

DataPlace data_place(const RunFolder& run, const std::optional<DataRecord>& record,
                     const std::string& named, const DataEvents& events) {
  if (!named.empty()) return named;
  if (!record) {
    if (events.say) {
      events.say(fmt::format("data: {} has no data.json, so its images are not known",
                             path_text(run.path())));
    }
    DataPlace anywhere("");
    anywhere.may_draw = false;
    return anywhere;
  }
  std::error_code ignored;
  if (record->place != "builtin" && !std::filesystem::exists(record->place, ignored)) {
    throw user_error("data", "{}, which does not exist: restore it, or pass --data DIR",
                     training_in_words(run, *record));
  }
  return {record->place, "remembered by " + path_text(run.path())};
}

std::vector<std::string> class_names_of(const Experiment& experiment) {
  std::vector<std::string> names = class_names_of_set(experiment.data.set);
  if (!names.empty()) return names;
  for (const Groups::Group& group : experiment.groups) {
    names.insert(names.end(), group.classes.begin(), group.classes.end());
  }
  std::ranges::sort(names);
  return names;
}

namespace {

/// Class names of an imported run, in the order of its models' outputs.
std::vector<std::string> class_names_of_models(const RunFolder& run, const Experiment& experiment) {
  if (run.has_model(names::kMixture)) return run.read_mixture().class_names;
  if (run.has_model(names::kBaseline)) return run.read_model(names::kBaseline).class_names;
  return class_names_of(experiment);
}

/// Puts the classes into another order.
void reorder(Dataset& data, const std::vector<std::string>& class_names) {
  if (!std::ranges::is_permutation(data.class_names, class_names)) return;
  std::vector<int> order;
  for (const std::string& name : data.class_names) {
    order.push_back(static_cast<int>(std::ranges::find(class_names, name) - class_names.begin()));
  }
  for (int& label : data.test.labels) label = order.at(static_cast<std::size_t>(label));
  data.class_names = class_names;
}

}  // namespace

void require_fit(const std::filesystem::path& run, const std::string& model, const Shape& input,
                 const std::vector<std::string>& classes, const Examples& given) {
  if (classes != given.class_names()) {
    throw user_error("evaluate",
                     "{}: {} has the classes {}, but the data has {}: give the data it was "
                     "trained on",
                     path_text(run), model, fmt::join(classes, ", "),
                     fmt::join(given.class_names(), ", "));
  }
  if (input != given.shape()) {
    throw user_error("evaluate", "{}: {} takes images of {}, but the data's are {}", path_text(run),
                     model, to_string(input), to_string(given.shape()));
  }
}

Dataset load_run_data(const RunFolder& run, const Experiment& experiment, const std::string& place,
                      const DataEvents& events) {
  const std::optional<DataRecord> record = run.read_data();
  Dataset data = load_data(experiment.data, data_place(run, record, place, events), events);
  if (!record) {
    reorder(data, class_names_of_models(run, experiment));
    return data;
  }
  const DataRecord now = record_of(data, record->set);
  if (same_images(*record, now)) return data;
  throw user_error("data",
                   "{}, and {} has other images: restore the original ones, or give them "
                   "with --data DIR",
                   training_in_words(run, *record), path_text(now.place));
}

Examples images_to_choose_by(const LabOptions& options, const Dataset& data) {
  if (data.validation.size() > 0) return {data.validation, data.class_names};
  if (options.validation_split > 0) {
    return Examples(data.train, data.class_names).after_split(options.validation_split);
  }
  throw user_error("data",
                   "there are no validation images, and test images must not decide: train with "
                   "--set train.validation_split=0.1");
}

Dataset load_test_data(const RunFolder& run, const Experiment& experiment, const std::string& place,
                       bool others, const DataEvents& events) {
  const std::optional<DataRecord> record = run.read_data();
  const std::vector<std::string> class_names =
      record ? record->class_names : class_names_of_models(run, experiment);
  Dataset data =
      load_test_data(experiment.data, class_names, data_place(run, record, place, events), events);
  if (!record) reorder(data, class_names);
  if (!record || record_of(data, record->set).test.sha256 == record->test.sha256) return data;
  const std::string before = training_in_words(run, *record);
  if (!others) {
    throw user_error("evaluate",
                     "{}, and its test images have changed: restore the {} images, or pass "
                     "--data {} to evaluate on the present ones",
                     before, record->test.images, argument_text(record->place));
  }
  if (events.say) {
    events.say(
        fmt::format("data: {}; these are not its {} test images", before, record->test.images));
  }
  return data;
}

}  // namespace sluice

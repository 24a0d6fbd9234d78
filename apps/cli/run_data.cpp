#include "cli/run_data.h"

#include "cli/fail.h"
#include "cli/output.h"
#include "sluice/files.h"
#include "sluice/text.h"

namespace sluice::cli {

std::string training_in_words(const RunFolder& run, const DataRecord& record) {
  return fmt::format("{} was trained on {}{}", path_text(run.path()), one_line(record.name),
                     record.place == "builtin" ? "" : " in " + path_text(record.place));
}

DataPlace data_place(const RunFolder& run, const std::optional<DataRecord>& record,
                     const std::string& named) {
  if (!named.empty()) return named;
  if (!record) {
    print_out("data: {} does not say which images it was trained on: it has no data.json\n",
              path_text(run.path()));
    DataPlace anywhere("");
    anywhere.may_draw = false;
    return anywhere;
  }
  if (record->place != "builtin" && !is_folder(record->place)) {
    throw user_error("data", "{}, which is not there: put it back, or pass --data DIR",
                     training_in_words(run, *record));
  }
  return {record->place, "remembered by " + path_text(run.path())};
}

void require_images_of_each_group(const Lab& lab, const Groups& groups) {
  for (int group = 0; group < groups.count(); ++group) {
    const auto require = [&](const Examples& all, const char* kind, const char* mend) {
      if (all.of_group(groups, group).size() > 0) return;
      throw user_error("data", "group '{}' has no {} image, which its expert needs: {}",
                       one_line(groups.name(group)), kind, mend);
    };
    require(lab.train_examples(), "training", "lower train.validation_split, or add some");
    require(lab.test_examples(), "test", "add some of one of its classes");
    require(lab.validation_examples(), "validation", "raise train.validation_split, or add some");
  }
}

}  // namespace sluice::cli

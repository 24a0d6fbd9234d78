#include "conduct/experiment_lab.h"

#include "base/fail.h"
#include "base/text.h"
#include "run/disk_need.h"

namespace sluice {

Lab lab_of(const Experiment& experiment, const Dataset& data, const Groups& groups,
           Communicator* ranks) {
  LabOptions options = experiment.lab;
  if (experiment.awaits_groups()) options.controls = {};
  return {options, data, groups, ranks};
}

void require_images_and_disk(const Experiment& experiment, const Lab& lab, const Groups& groups,
                             const std::filesystem::path& folder, int parallel) {
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
  require_disk(folder, lab, experiment.lab, parallel);
}

}  // namespace sluice

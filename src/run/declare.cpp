#include "sluice/lab/run_folder.h"

namespace sluice {

Mixture declare(const Experiment& experiment) {
  std::vector<std::string> classes;
  for (const Groups::Group& group : experiment.groups) {
    classes.insert(classes.end(), group.classes.begin(), group.classes.end());
  }
  return mixture(Groups(experiment.groups, classes), LabelledImages{}.shape,
                 static_cast<int>(classes.size()), experiment.lab.size);
}

}  // namespace sluice

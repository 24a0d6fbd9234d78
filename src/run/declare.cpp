#include "sluice/lab/run_folder.h"

namespace sluice {

std::variant<Sequential, Mixture> declare(const Experiment& experiment,
                                          const std::vector<std::string>& class_names) {
  const Groups groups(experiment.groups, class_names, experiment.file);
  const Shape input = experiment.data.shape();
  const int classes = static_cast<int>(class_names.size());
  if (groups.count() == 0) {
    return network(names::kBaseline, input, classes, experiment.lab.network);
  }
  return mixture(groups, input, classes, experiment.lab.network);
}

}  // namespace sluice

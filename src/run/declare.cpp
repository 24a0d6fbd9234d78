#include "sluice/lab/run_folder.h"

namespace sluice {

std::variant<Sequential, Mixture> declare(const Experiment& experiment,
                                          const std::vector<std::string>& class_names) {
  const Groups groups(experiment.groups, class_names, experiment.file);
  const Shape input = experiment.data.shape();
  const int classes = static_cast<int>(class_names.size());
  const CnnSize size = experiment.lab.size;
  if (groups.count() == 0) return cnn(names::kBaseline, input, classes, size);
  return mixture(groups, input, classes, size);
}

}  // namespace sluice

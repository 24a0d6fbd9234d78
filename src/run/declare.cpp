#include "base/fail.h"
#include "base/text.h"
#include "sluice/lab/run_folder.h"

namespace sluice {

std::variant<Sequential, Mixture> declare(const Experiment& experiment,
                                          const std::vector<std::string>& class_names) {
  const Groups groups(experiment.groups, class_names, experiment.file);
  const Shape input = experiment.data.shape();
  const int classes = static_cast<int>(class_names.size());
  if (groups.count() > 0) return mixture(groups, input, classes, experiment.lab.network);
  Sequential model = network(names::kBaseline, input, classes, experiment.lab.network);
  const Shape output = summarize(model).back().output;  // a cascade says itself how many it has
  if (output == Shape{classes}) return model;
  throw user_error("model", "its cascade has logits {}, but there are {} classes: give each one",
                   to_string(output), classes);
}

}  // namespace sluice

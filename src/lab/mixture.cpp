#include "base/fail.h"
#include "sluice/lab/models.h"

namespace sluice {

Mixture mixture(const Groups& groups, const Shape& input, int classes,
                const NetworkChoice& choice) {
  if (groups.count() == 0) {
    throw user_error("model", "a mixture needs groups, and none are declared: declare two or more");
  }
  Mixture model{network(names::kBaseline, input, classes, choice),
                network(names::kGate, input, groups.count(), choice),
                {}};
  for (const std::string& group : groups.names()) {
    model.branches.push_back({group, network(names::expert(group), input, classes, choice),
                              importance_model(names::importance(group), input, classes)});
  }
  return model;
}

}  // namespace sluice

#include "base/fail.h"
#include "sluice/lab/models.h"

namespace sluice {

Mixture mixture(const Groups& groups, const Shape& input, int classes, CnnSize size) {
  if (groups.count() == 0) {
    throw user_error("model", "a mixture needs groups, and none are declared: declare two or more");
  }
  Mixture model{cnn(names::kBaseline, input, classes, size),
                cnn(names::kGate, input, groups.count(), size),
                {}};
  for (const std::string& group : groups.names()) {
    model.branches.push_back({group, cnn(names::expert(group), input, classes, size),
                              importance_model(names::importance(group), input, classes)});
  }
  return model;
}

}  // namespace sluice

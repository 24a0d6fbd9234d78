#include "sluice/lab/models.h"

namespace sluice {

Mixture mixture(const Groups& groups, const Shape& input, int classes, CnnSize size) {
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

#include "sluice/lab/models.h"

namespace sluice {

Mixture mixture(const Groups& groups, const Shape& input, int classes, CnnSize size) {
  Mixture model{
      cnn("baseline", input, classes, size), cnn("gate", input, groups.count(), size), {}};
  for (const std::string& group : groups.names()) {
    model.branches.push_back({group, cnn("expert-" + group, input, classes, size),
                              importance_model("importance-" + group, input, classes)});
  }
  return model;
}

}  // namespace sluice

#include "lab/layer_limit.h"
#include "sluice/lab/models.h"

namespace sluice {

Sequential importance_model(const std::string& name, const Shape& input, int classes) {
  Sequential model{
      name,
      input,
      {Flatten{"flatten"}, Dense{"dense1", 512, Activation::relu}, Dropout{"drop1", 0.5f},
       Dense{"output", 2 * classes, Activation::softmax}, Reshape{"reshape", {classes, 2}}}};
  require_layers_of_a_size(model);
  return model;
}

}  // namespace sluice

#include "sluice/lab/models.h"

namespace sluice {

Sequential importance_model(const std::string& name, const Shape& input, int classes) {
  return {name,
          input,
          {Flatten{"flatten"}, Dense{"dense1", 512, Activation::relu}, Dropout{"drop1", 0.5f},
           Dense{"output", 2 * classes, Activation::softmax}, Reshape{"reshape", {classes, 2}}}};
}

}  // namespace sluice

#include "lab/layer_limit.h"
#include "lab/width.h"
#include "sluice/lab/models.h"

namespace sluice {

Sequential cnn(const std::string& name, const Shape& input, int classes, CnnSize size,
               double width) {
  require_width(name, width);
  const auto wide = [&](int units) { return widened(units, width); };
  Sequential model{name,
                   input,
                   {Conv2D{"conv1.1", wide(32)}, Conv2D{"conv1.2", wide(32)}, MaxPooling2D{"pool1"},
                    Dropout{"drop1", 0.25f}, Conv2D{"conv2.1", wide(64)},
                    Conv2D{"conv2.2", wide(64)}, MaxPooling2D{"pool2"}, Dropout{"drop2", 0.25f}}};
  const bool large = size == CnnSize::large;
  const auto add = [&](Layer layer) { model.layers.push_back(std::move(layer)); };
  if (large) {
    add(Conv2D{"conv3.1", wide(128)});
    add(Conv2D{"conv3.2", wide(128)});
    add(MaxPooling2D{"pool3"});
    add(Dropout{"drop3", 0.25f});
  }
  add(Flatten{"flatten"});
  add(Dense{"dense1", wide(512), Activation::relu});
  add(Dropout{large ? "drop4" : "drop3", 0.5f});
  add(Dense{"output", classes, Activation::softmax});
  // A wider network follows the cost of a mixture, whose parts are of an allowed size.
  if (width == 1) {
    require_layers_of_a_size(
        model, large ? "" : ", or model.size = \"large\", which pools once more before that layer");
  }
  return model;
}

}  // namespace sluice

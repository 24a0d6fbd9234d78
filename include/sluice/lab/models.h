#pragma once

#include <string>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/mixture.h"

#pragma GCC visibility push(default)

namespace sluice {

// Models of the lab, and networks by name.

enum class CnnSize { small, large };

/// Returns a CNN: two (small) or three (large) blocks of two convolutions, a dense layer of 512
/// units, and softmax. `width` multiplies the filters and units of all layers except the last,
/// rounded to multiples of 8. Throws Error (user) for a width that is not above 0, or above 128,
/// and for an input that gives a layer at width 1 more than 100 million parameters.
Sequential cnn(const std::string& name, const Shape& input, int classes, CnnSize size,
               double width = 1);

/// Which network the baseline, the experts and the gate of an experiment are.
struct NetworkChoice {
  NetworkChoice(CnnSize lab_size = CnnSize::small) : size(lab_size) {}  // NOLINT: a size is one

  std::string name = "lab";  ///< or another of network_names(), or "layers"
  CnnSize size;              ///< of the lab's
  double width = 1;          ///< multiplies the filters and units of each layer but the last
  /// Layers that training leaves as they are: names, or "block1*" for all that begin so.
  std::vector<std::string> freeze = {};
  /// Of "layers": a network without name and input. A Dense with a softmax follows it.
  Sequential layers = {};
};

/// "lab": cnn(). "airbench": three blocks of convolutions with batch normalisation and GELU
/// (KellerJordan/cifar10-airbench: 94% on CIFAR-10 in ten epochs of its recipe). "resnet20": He et
/// al. 2015, with projections (91% on CIFAR-10 in 164 epochs). "mobilenet-small": MobileNet of a
/// quarter of the width (Howard et al. 2017), for images of 96 to 224 pixels.
const std::vector<std::string>& network_names();

/// Returns the chosen network: images to the probabilities of the classes. Throws Error (user) for
/// an unknown name, a width as cnn(), an input that does not fit its layers, and for `freeze` that
/// names no layer or leaves none to train.
Sequential network(const std::string& name, const Shape& input, int classes,
                   const NetworkChoice& choice);

/// Returns the model that weights baseline and expert for each class: output {classes, 2}, with a
/// softmax over all values; [c][0] is the weight of the baseline, [c][1] that of the expert. Throws
/// Error (user) for an input that gives a layer more than 100 million parameters.
Sequential importance_model(const std::string& name, const Shape& input, int classes);

/// Returns the lab's mixture: networks for the baseline, the gate and each group's expert, and an
/// importance model for each group. Throws Error (user) without groups.
Mixture mixture(const Groups& groups, const Shape& input, int classes, const NetworkChoice& choice);

}  // namespace sluice

#pragma GCC visibility pop

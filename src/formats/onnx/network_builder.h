#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "formats/onnx/node_reader.h"
#include "formats/onnx/value.h"
#include "sluice/model_file.h"

namespace sluice {

/// Collects the layers of a network and their weights.
class NetworkBuilder {
 public:
  using Tensors = std::vector<std::vector<float>>;  ///< in the order of the layer's tensors

  explicit NetworkBuilder(Shape input);

  /// Adds a layer for a node that takes the results of these values' layers. The axes are those of
  /// the result. Throws Error (user), by the node, where it does not fit.
  OnnxValue add(const NodeReader& node, std::string_view name, Layer layer,
                const std::vector<const OnnxValue*>& sources, std::vector<int> axes,
                Tensors tensors = {});
  /// Gives a convolution or dense layer without bias a bias of that many values; false where the
  /// layer is another.
  bool add_bias(const std::string& layer, const std::vector<float>& bias);

  /// Whether no result of the layer is below 0; images are in [0, 1].
  bool is_non_negative(const std::string& layer) const;

  /// The network whose output is that layer's result. Layers on no way to it are left out.
  SavedModel finish(const std::string& output);

 private:
  struct Placed {
    Layer layer;
    Shape output;
    std::vector<std::string> sources;
    Tensors tensors;
    bool non_negative = false;
  };

  std::string unique(std::string_view name, std::string_view longer) const;
  bool gives_non_negative(const Layer& layer, const std::vector<std::string>& sources) const;
  void drop_unused(const std::string& output);

  Shape input_;
  std::vector<Placed> layers_;
  std::map<std::string, std::size_t> places_;
};

}  // namespace sluice

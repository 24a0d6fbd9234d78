#include <set>

#include "base/fail.h"
#include "sluice/layers.h"

namespace sluice {

namespace {

// Nothing sensible comes near these, and no product of three leaves 64 bits.
constexpr std::int64_t kMostUnits = 1 << 16;
constexpr std::int64_t kMostKernel = 1 << 6;
constexpr std::int64_t kMostValues = std::int64_t{1} << 40;  ///< of an output or a kernel

/// What each layer does to a shape; the operations check again what they can be given.
struct Shaper {
  const Sequential& model;
  const Shape& in;

  LayerSummary operator()(const Conv2D& layer) const {
    require_image(layer.name);
    require_count(layer.name, "filters", layer.filters, kMostUnits);
    require_count(layer.name, "kernel_size", layer.kernel_size, kMostKernel);
    const Shape kernel{layer.kernel_size, layer.kernel_size, in[2], layer.filters};
    return {layer.name,
            "Conv2D",
            {in[0], in[1], layer.filters},
            kernel,
            element_count(kernel) + layer.filters};
  }
  LayerSummary operator()(const MaxPooling2D& layer) const {
    require_image(layer.name);
    require_count(layer.name, "pool_size", layer.pool_size, kMostUnits);
    const Shape out{in[0] / layer.pool_size, in[1] / layer.pool_size, in[2]};
    if (element_count(out) == 0) {
      throw user_error("model", "{}: {}: a pool of {} does not fit into {}: use larger images",
                       model.name, layer.name, layer.pool_size, to_string(in));
    }
    return {layer.name, "MaxPooling2D", out, {}, 0};
  }
  LayerSummary operator()(const Dropout& layer) const {
    if (!(layer.rate >= 0 && layer.rate < 1)) {
      throw user_error("model", "{}: {}: rate must be from 0 up to 1, not {}", model.name,
                       layer.name, layer.rate);
    }
    return {layer.name, "Dropout", in, {}, 0};
  }
  LayerSummary operator()(const Flatten& layer) const {
    return {layer.name, "Flatten", {element_count(in)}, {}, 0};
  }
  LayerSummary operator()(const Dense& layer) const {
    if (in.size() != 1) {
      throw user_error("model", "{}: {}: takes one axis, not {}: put a Flatten before it",
                       model.name, layer.name, to_string(in));
    }
    require_count(layer.name, "units", layer.units, kMostUnits);
    const Shape kernel{in[0], layer.units};
    return {layer.name, "Dense", {layer.units}, kernel, element_count(kernel) + layer.units};
  }
  LayerSummary operator()(const Reshape& layer) const {
    for (const std::int64_t size : layer.target) {
      require_count(layer.name, "target_shape", size, kMostUnits);
    }
    if (element_count(layer.target) != element_count(in)) {
      throw user_error("model", "{}: {}: {} cannot become {}: the sizes' products differ",
                       model.name, layer.name, to_string(in), to_string(layer.target));
    }
    return {layer.name, "Reshape", layer.target, {}, 0};
  }

  void require_count(const std::string& layer, const char* what, std::int64_t count,
                     std::int64_t most) const {
    if (count >= 1 && count <= most) return;
    throw user_error("model", "{}: {}: {} must be from 1 to {}, not {}", model.name, layer, what,
                     most, count);
  }

  void require_image(const std::string& layer) const {
    if (in.size() != 3) {
      throw user_error("model", "{}: {}: takes (height, width, channels), not {}", model.name,
                       layer, to_string(in));
    }
  }
};

}  // namespace

std::vector<LayerSummary> summarize(const Sequential& model) {
  std::vector<LayerSummary> summary;
  Shape shape = model.input;
  if (model.layers.empty()) throw user_error("model", "{} has no layers: add one", model.name);
  if (shape.empty()) throw user_error("model", "{} has no input shape: give one", model.name);
  for (const std::int64_t size : shape) {
    Shaper{model, shape}.require_count("input", "sizes", size, kMostUnits);
  }
  std::set<std::string> names;
  for (const Layer& layer : model.layers) {
    summary.push_back(std::visit(Shaper{model, shape}, layer));
    const LayerSummary& last = summary.back();
    shape = last.output;
    // Of two with one name both would take the same tensors of a file.
    if (!names.insert(last.name).second) {
      throw user_error("model", "{}: two layers are called '{}', and each needs a name of its own",
                       model.name, last.name);
    }
    if (element_count(last.output) > kMostValues || last.parameters > kMostValues) {
      throw user_error("model", "{}: {} is larger than any memory", model.name, last.name);
    }
  }
  return summary;
}

double LayerSummary::flops() const {
  if (kernel.empty()) return 0;
  const double pixels = output.size() == 3 ? double(output[0] * output[1]) : 1;
  return 2 * pixels * double(element_count(kernel));
}

double count_flops(const Sequential& model) {
  double flops = 0;
  for (const LayerSummary& layer : summarize(model)) flops += layer.flops();
  return flops;
}

std::int64_t count_parameters(const Sequential& model) {
  std::int64_t count = 0;
  for (const LayerSummary& layer : summarize(model)) count += layer.parameters;
  return count;
}

}  // namespace sluice

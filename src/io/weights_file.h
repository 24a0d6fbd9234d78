#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sluice/model.h"

namespace sluice {

/// Weights and what their tensors' names start with: "" or "baseline/".
struct ConstWeightsPart {
  std::string prefix;
  const Weights* weights;
};
struct WeightsPart {
  std::string prefix;
  Weights* weights;
};

/// Tensors are named "conv1.1/kernel", after the part's prefix. The metadata has "format", the
/// declared model's name and, as a JSON list, the class names.
void write_weights_file(const std::filesystem::path& file, const std::string& model,
                        const std::vector<ConstWeightsPart>& parts,
                        const std::vector<std::string>& class_names);

/// Fills every part and gives back the class names. Throws Error (user) naming the file where it is
/// damaged, or has not exactly the tensors of the parts.
std::vector<std::string> read_weights_file(const std::filesystem::path& file,
                                           const std::vector<WeightsPart>& parts);

}  // namespace sluice

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sluice/network.h"

namespace [[gnu::visibility("default")]] sluice {

/// Names that a mixture and its parts have in folders, files, summaries and messages.
namespace names {
inline constexpr const char* kBaseline = "baseline";
inline constexpr const char* kGate = "gate";
inline constexpr const char* kMixture = "mixture";
std::string expert(const std::string& group);      ///< "expert-<group>"
std::string importance(const std::string& group);  ///< "importance-<group>"
/// Those of all parts of a mixture of these groups, in the order of Mixture::parts().
std::vector<std::string> parts(const std::vector<std::string>& groups);
}  // namespace names

/// A mixture of experts: each group's sub-gate adds baseline and expert, weighed class by class by
/// the group's importance model; the gate picks the sub-gate. Its output need not sum to one.
struct Mixture {
  struct Branch {
    std::string group;
    Sequential expert;
    Sequential importance;
  };

  Sequential baseline;
  Sequential gate;  ///< output i is branch i
  std::vector<Branch> branches;

  /// Baseline, gate, experts, importance models.
  std::vector<const Sequential*> parts() const;
};

/// Of all parts, the gate's included.
std::int64_t count_parameters(const Mixture& model);

/// The weights of each part of a mixture.
struct MixtureWeights {
  /// All zero.
  explicit MixtureWeights(const Mixture& model);

  Weights baseline;
  Weights gate;
  std::vector<Weights> experts;      ///< by group
  std::vector<Weights> importances;  ///< by group

  /// In the order of Mixture::parts().
  std::vector<Weights*> parts();
  std::vector<const Weights*> parts() const;
};

/// The group that a gate's output for one image sends it to: the largest value's, and of equal ones
/// the last (the lab's rule: natural unless artificial is larger). Throws Error (user) for none.
int chosen_group(std::span<const float> gate_output);

/// A mixture with hard routing: only the chosen group's expert and importance model run for an
/// image, forward and backward. Gradients equal those of the dense form, in which all run and
/// tf.where selects. Throws Error as compile() of a network does, and user if the parts do not fit
/// together: inputs, and outputs of gate, experts and importance models.
std::unique_ptr<CompiledModel> compile(const Mixture& model, MixtureWeights& weights,
                                       const CompileOptions& options);

/// As compile_for_inference() of a network.
std::unique_ptr<CompiledModel> compile_for_inference(const Mixture& model,
                                                     const MixtureWeights& weights,
                                                     const CompileOptions& options);
std::unique_ptr<CompiledModel> compile_for_inference(const Mixture&, const MixtureWeights&&,
                                                     const CompileOptions&) = delete;

}  // namespace sluice

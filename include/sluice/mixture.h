#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sluice/network.h"

#pragma GCC visibility push(default)

namespace sluice {

/// Names of a mixture and its parts in folders, files, summaries and messages.
namespace names {
inline constexpr const char* kBaseline = "baseline";
inline constexpr const char* kGate = "gate";
inline constexpr const char* kMixture = "mixture";
inline constexpr const char* kStart = "start";  ///< whose weights a run began with
std::string expert(const std::string& group);      ///< "expert-<group>"
std::string importance(const std::string& group);  ///< "importance-<group>"
/// Returns the names of all parts of a mixture with these groups, in the order of Mixture::parts().
std::vector<std::string> parts(const std::vector<std::string>& groups);
}  // namespace names

/// A mixture of experts. The gate chooses a group. The group's sub-gate adds the outputs of
/// baseline and expert, weighted for each class by the group's importance model. The result need
/// not sum to one.
struct Mixture {
  struct Branch {
    std::string group;
    Sequential expert;
    Sequential importance;
  };

  Sequential baseline;
  Sequential gate;  ///< output i is that of branch i
  std::vector<Branch> branches;

  /// Returns baseline, gate, experts, importance models.
  std::vector<const Sequential*> parts() const;
};

/// Number of parameters of all parts, including the gate.
std::int64_t count_parameters(const Mixture& model);

/// Weights of each part of a mixture.
struct MixtureWeights {
  /// Makes weights that are all zero.
  explicit MixtureWeights(const Mixture& model);

  Weights baseline;
  Weights gate;
  std::vector<Weights> experts;      ///< by group
  std::vector<Weights> importances;  ///< by group

  /// Weights in the order of Mixture::parts().
  std::vector<Weights*> parts();
  std::vector<const Weights*> parts() const;
};

/// Returns the group of an image from the gate's outputs, (groups): the largest value, of equal
/// ones the last (the lab's rule: natural unless artificial is larger). Throws Error (user) if
/// there is no output.
int chosen_group(std::span<const float> gate_output);

/// Compiles a mixture with hard routing: only the chosen group's expert and importance model run
/// for an image, forward and backward. Gradients equal those of the dense form, in which all parts
/// run and tf.where selects. Throws Error as compile() of a network does, and Error (user) if the
/// parts do not fit together: their inputs, and the outputs of gate, experts and importance models.
std::unique_ptr<CompiledModel> compile(const Mixture& model, MixtureWeights& weights,
                                       const CompileOptions& options);

/// Compiles a mixture for predictions, with the contract of compile_for_inference() of a network.
std::unique_ptr<CompiledModel> compile_for_inference(const Mixture& model,
                                                     const MixtureWeights& weights,
                                                     const CompileOptions& options);
std::unique_ptr<CompiledModel> compile_for_inference(const Mixture&, const MixtureWeights&&,
                                                     const CompileOptions&) = delete;

}  // namespace sluice

#pragma GCC visibility pop

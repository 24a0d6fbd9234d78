#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/arrays.h"
#include "sluice/model_file.h"
#include "sluice/network.h"

namespace sluice::python {

/// Groups of classes: name, and the names of its classes.
using NamedGroups = std::vector<std::pair<std::string, std::vector<std::string>>>;
std::vector<Groups::Group> to_groups(const NamedGroups& groups);
NamedGroups to_named(const std::vector<Groups::Group>& groups);

/// A network or a mixture with its weights. Several threads may use it: one at a time computes.
/// Members release Python's lock while they compute. A child that is forked after the first
/// computation cannot compute (Error, user).
class Network {
 public:
  /// A new network, or a mixture whose weights are 0. `declaration`: JSON as in a model file.
  static std::unique_ptr<Network> declared(const std::string& declaration, std::uint64_t seed);
  /// The lab's mixture of trained networks, which are copied, with new importance models. Throws
  /// Error (user) if the networks do not fit together.
  static std::unique_ptr<Network> mixture(Network& baseline, Network& gate,
                                          const std::vector<Network*>& experts,
                                          const NamedGroups& groups, std::uint64_t seed);
  /// The lab's CNN for images of `input`.
  static std::unique_ptr<Network> cnn(const std::string& name,
                                      const std::vector<std::int64_t>& input, int classes,
                                      bool is_large, double width, std::uint64_t seed);

  /// Reads a model file.
  static std::unique_ptr<Network> open(const std::string& file);
  void save(const std::string& file);

  bool is_mixture() const { return std::holds_alternative<SavedMixture>(model_); }
  std::string declaration() const;
  std::string summary() const;
  std::vector<std::int64_t> input_shape() const;
  std::vector<std::int64_t> output_shape() const;
  const std::vector<std::string>& class_names() const;
  void set_class_names(std::vector<std::string> names);

  /// Groups of a mixture; their classes may be empty in a file of another program.
  NamedGroups groups() const;
  void set_groups(const NamedGroups& groups);

  /// Layer, kind and shape of each tensor; in a mixture the layer is "part/layer".
  using Tensor = std::tuple<std::string, std::string, std::vector<std::int64_t>>;
  std::vector<Tensor> tensors() const;
  Array<float> tensor(std::size_t number);  ///< a copy
  void set_tensor(std::size_t number, const Values& values);

  /// Returns (images, outputs). Throws what a handler of Python's raises.
  Array<float> predict(const Images& images, int batch);

  /// Calls `call` with the model, as it is then, on this thread. The lock of Python must be free.
  void with_model(const std::function<void(const AnyModel&)>& call);

  /// Trains the model; `options` is JSON. Calls on_step(epoch, step, steps, loss, accuracy, seconds
  /// per step, seconds left), after each step or ten times a second; and on_epoch(epoch, loss,
  /// accuracy, val_loss, val_accuracy), whose answer says whether to go on; epochs and steps from
  /// 1. Without validation images its figures are NaN. The weights stay as the last step left them,
  /// whatever ends it.
  /// `weights` of the images are one for each, or none.
  void fit(const Images& images, const Labels& labels, const Values& weights,
           const Images& validation_images, const Labels& validation_labels,
           const std::string& options, const nanobind::callable& on_epoch,
           const nanobind::callable& on_step);

 private:
  explicit Network(AnyModel model) : model_(std::move(model)) {}
  static std::unique_ptr<Network> initialized(Sequential model, std::uint64_t seed);
  /// A tensor's values, and its shape.
  struct Place {
    std::span<float> values;
    const Weights::Tensor& tensor;
  };
  Place place_of(std::size_t number);
  void require_fit(const Images& images) const;
  CompiledModel& compiled_for(std::size_t count, int batch);

  AnyModel model_;
  std::map<int, std::unique_ptr<CompiledModel>> compiled_;  ///< for predictions, by batch
  std::recursive_mutex mutex_;  ///< a callback of fit() may use the network, too
};

/// Lets computations know that a fork happened. Called once.
void watch_forks();
/// Throws Error (user) in a child that was forked after a computation. Call it before one.
void require_own_process();

}  // namespace sluice::python

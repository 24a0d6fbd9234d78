#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sluice/model.h"

namespace sluice {

/// The arithmetic of a compiled model. Parameters are fp32 whatever it is.
enum class Precision { fp32 };

std::string to_string(Precision precision);

struct CompileOptions {
  int batch = 32;        ///< the largest batch it will be given
  bool training = true;  ///< false leaves out backward passes and their memory
  Precision precision = Precision::fp32;
};

/// Where the random numbers of one training step come from. The same four numbers give the same
/// dropout masks, whatever the threads or the machine.
struct RandomKey {
  std::uint64_t seed = 0;
  std::uint32_t stage = 0;  ///< tells apart the stages of a run
  std::uint32_t part = 0;   ///< tells apart the parts of a mixture
  std::uint32_t step = 0;
};

/// What a gradient handed to backward() belongs to: the model's output, or the input of its last
/// softmax (Keras's fused form of softmax and cross-entropy).
enum class GradientOf { output, logits };

/// A model compiled for batches up to a size. All primitives and activations are made when it is
/// compiled, none by a step. It reads and refers to the weights it was compiled with, which must
/// outlive it. One thread at a time may call it; the work itself runs on all OpenMP threads.
class CompiledModel {
 public:
  virtual ~CompiledModel() = default;

  virtual int max_batch() const = 0;
  virtual const Shape& input_shape() const = 0;
  /// Values per image: classes of a classifier.
  virtual int outputs() const = 0;
  /// Whether backward() takes GradientOf::logits, and prefers it.
  virtual bool ends_in_softmax() const = 0;

  /// images: (count, height, width, channels) in [0, 1]; 0 < count <= max_batch(). Returns (count,
  /// outputs()), valid until the next call. Dropout is off.
  virtual std::span<const float> predict(std::span<const float> images, int count) = 0;
  /// The same with dropout on; backward() may follow.
  virtual std::span<const float> forward(std::span<const float> images, int count,
                                         const RandomKey& key) = 0;
  /// gradient: (count, outputs()) of the forward() before it. Overwrites the gradients of trained().
  virtual void backward(std::span<const float> gradient, GradientOf where) = 0;

  /// Parameters and, equally long, their gradients.
  struct Trained {
    std::span<float> weights;
    std::span<const float> gradients;
  };
  /// What a trainer updates after backward(). The gate of a mixture is not among it.
  virtual std::vector<Trained> trained() = 0;
};

/// Throws Error (user) if the model's shapes do not fit, Error (machine) if oneDNN refuses.
std::unique_ptr<CompiledModel> compile(const Sequential& model, Weights& weights,
                                       const CompileOptions& options);

/// A mixture with hard routing: an image is sent to the group with the gate's largest output (of
/// equal ones the last), and only this group's expert and importance model run for it, forward and
/// backward. Gradients equal those of the dense form, in which all run and tf.where selects.
std::unique_ptr<CompiledModel> compile(const Mixture& model, MixtureWeights& weights,
                                       const CompileOptions& options);

}  // namespace sluice

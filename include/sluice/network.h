#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sluice/layers.h"
#include "sluice/process.h"

#pragma GCC visibility push(default)

namespace sluice {

/// Arithmetic of a compiled model. Parameters, activations and sums are fp32 in all.
enum class Compute {
  exact,      ///< convolutions as they are defined
  fast,       ///< 3x3 convolutions by Winograd's minimal filtering where the processor can
  automatic,  ///< the fastest that learns the lab as well as `exact`: `fast` (docs/performance.md)
};

/// "exact", "fast", "auto"
std::string to_string(Compute compute);

/// Resolves `automatic` and `fast` for this processor: exact or fast.
Compute on_this_processor(Compute compute);

struct CompileOptions {
  int batch = 32;  ///< the largest batch it will be given, at least 1
  Compute compute = Compute::automatic;
  /// Called at the start of each predict(); an exception from it ends the work that predicts.
  std::function<void()> before_predict = {};
  /// For training: number of parts, a power of two, into which each batch is divided. A thread
  /// computes a part alone, with the part's own statistics in batch normalisation and in the losses
  /// of layers of experts. The bits then depend on this number, and not on the number of threads.
  /// Without effect on a model compiled for inference.
  int shards = 1;
  /// Ranks that divide the shards among them; as many as `shards` or a half, a quarter and so on of
  /// them. Each rank gives the same batch to the same calls, and gets the same results, to the bit.
  /// Not owned. Null: this process computes all shards.
  Communicator* ranks = nullptr;
};

/// Key of the random numbers of one training step. The same numbers give the same dropout masks
/// and noise of gates, whatever the threads or the machine.
struct RandomKey {
  std::uint64_t seed = 0;
  std::uint32_t stage = 0;  ///< tells apart the stages of a run
  std::uint32_t part = 0;   ///< tells apart the parts of a mixture
  std::uint32_t step = 0;
  /// The number of the pass's first image in the whole batch. A batch that is divided among passes
  /// has the masks of the whole.
  std::int64_t first_row = 0;
  float share = 1;  ///< of the whole batch's images that the pass has
};

/// Meaning of a gradient for backward(): of the model's output, or of the input of its last
/// softmax (Keras's fused form of softmax and cross-entropy).
enum class GradientOf { output, logits };

/// Time of one layer of one part of a compiled model since start_profile().
struct LayerProfile {
  std::string model;
  std::string layer;
  std::string algorithm;  ///< "winograd, avx2", "direct, jit:avx2"; empty if it has no arithmetic
  double flops =
      0;  ///< operations of its definition: forward, one image; as many in each backward pass
  std::int64_t forward_images = 0;
  std::int64_t backward_images = 0;
  double forward_seconds = 0;
  double weights_seconds = 0;  ///< backward pass, gradients of parameters
  double data_seconds = 0;     ///< backward pass, gradient of what the layer is given

  double seconds() const { return forward_seconds + weights_seconds + data_seconds; }
  /// Multiplications and additions in this time, by the layer's definition, however few the
  /// algorithm needs.
  double operations() const;
};

/// The way of one image through a mixture: what each part that ran for it answered. Valid until the
/// next pass.
struct Route {
  int group = 0;                      ///< the branch that the gate chose
  std::span<const float> gate;        ///< (groups)
  std::span<const float> baseline;    ///< (classes)
  std::span<const float> expert;      ///< (classes), of the chosen branch, as the next
  std::span<const float> importance;  ///< (classes, 2): see importance_model()
};

/// What the experts of a layer took of each image of one pass.
struct ExpertShares {
  std::string layer;
  std::vector<std::string> experts;  ///< names; of the kernels of a CondConv2D their numbers
  bool mixed = false;                ///< of a CondConv2D
  /// (images, experts): 1 for each expert that takes the image, and 0 for the others; of a
  /// CondConv2D the weights of its kernels in the mix for the image, whose sum is 1.
  std::vector<float> shares;
};

/// A model compiled for batches up to a size. All primitives and activations are made when it is
/// compiled, none by a step. It reads and refers to the weights it was compiled with, which must
/// outlive it. One thread at a time may call it; the work itself runs on all OpenMP threads. What
/// is asked of it in the wrong size or order throws Error (user) and changes nothing.
///
/// A program that handles signals: before version 3.11.2 oneDNN's GEMM moves its stack pointer into
/// the heap, and a handler on such a thread corrupts it (uxlfoundation/oneDNN issue 4845). Block
/// the signals in the threads that compute and wait for them in another, or handle them on an
/// alternate stack of each thread (SA_ONSTACK).
class CompiledModel {
 public:
  virtual ~CompiledModel() = default;

  virtual int max_batch() const = 0;
  virtual const Shape& input_shape() const = 0;
  /// Values per image: classes of a classifier.
  virtual int outputs() const = 0;
  /// Whether there are logits(), and backward() takes GradientOf::logits.
  virtual bool ends_in_softmax() const = 0;

  /// images: (count, height, width, channels) in [0, 1], 0 < count <= max_batch(). Returns (count,
  /// outputs()), valid until the next call. Dropout is off.
  virtual std::span<const float> predict(std::span<const float> images, int count) = 0;
  /// Gives the classes of the next forward()'s images to layers whose loss needs them:
  /// MixtureOfExperts::gate_loss. Valid until that call.
  virtual void set_labels(std::span<const int> /*labels*/) {}
  /// As predict(), with dropout and noise of gates; backward() may follow.
  virtual std::span<const float> forward(std::span<const float> images, int count,
                                         const RandomKey& key) = 0;
  /// Input of the last softmax in the pass before: (count, outputs()). Needs such a
  /// softmax and a pass.
  virtual std::span<const float> logits() const = 0;
  /// The way of an image of the pass before through a mixture. Nothing for other models. Throws
  /// Error (user) for a row that was not in that pass.
  virtual std::optional<Route> route(int /*row*/) const { return {}; }
  /// For each layer of experts or of mixed kernels, what they took of the images of the pass
  /// before. Nothing for other models.
  virtual std::vector<ExpertShares> expert_shares() const { return {}; }
  /// gradient: (count, outputs()) of the pass before it, by a model compiled for training.
  /// Overwrites the gradients of trained().
  virtual void backward(std::span<const float> gradient, GradientOf where) = 0;

  /// Parameters and, equally long, their gradients, which a trainer may change.
  struct Trained {
    std::span<float> weights;
    std::span<float> gradients;
    /// Tensors of the weights; those that are not trained have their places behind them.
    std::span<const Weights::Tensor> tensors = {};
  };
  /// Parameters that a trainer updates after backward(). The gate of a mixture is not among it.
  /// Empty for a model compiled for inference.
  virtual std::vector<Trained> trained() = 0;
  /// Values that forward() changes without a gradient, such as running means, and frozen ones.
  /// Empty for a model that has none, or is compiled for inference.
  virtual std::vector<std::span<float>> state() { return {}; }

  /// The first layer, "baseline's conv1.1", that has parameters or, since the last forward(),
  /// results which are not all finite; empty if none has.
  virtual std::string first_not_finite() const = 0;

  /// Size of its activations, gradients and prepared parameters; the weights are not among it.
  virtual std::size_t memory_bytes() const { return 0; }

  /// Measures every layer from here on, which costs little, and forgets what was measured before.
  virtual void start_profile() = 0;
  /// Empty before start_profile().
  virtual std::vector<LayerProfile> profile() const = 0;
};

/// For training, and for predict() meanwhile. Throws Error: user if the model's shapes do not fit,
/// the weights are not of its layers, the batch is below 1 or above 1,048,576, or shards and ranks
/// are not as CompileOptions says; machine if oneDNN refuses.
std::unique_ptr<CompiledModel> compile(const Sequential& model, Weights& weights,
                                       const CompileOptions& options);

/// Without backward passes and their memory. The weights may not change any more. Throws Error as
/// compile() does.
std::unique_ptr<CompiledModel> compile_for_inference(const Sequential& model,
                                                     const Weights& weights,
                                                     const CompileOptions& options);
std::unique_ptr<CompiledModel> compile_for_inference(const Sequential&, const Weights&&,
                                                     const CompileOptions&) = delete;

}  // namespace sluice

#pragma GCC visibility pop

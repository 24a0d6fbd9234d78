#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/workspace.h"
#include "onednn/context.h"
#include "runtime/build_ops.h"
#include "sluice/network.h"

namespace sluice {

/// Options of a Network.
struct NetworkOptions {
  int batch = 32;        ///< the largest
  bool training = true;  ///< with backward passes
  Compute compute = Compute::automatic;
  // Of a network inside another one.
  int usual_batch = 0;      ///< images that most passes have, if they are fewer; 0 otherwise
  bool diff_input = false;  ///< the backward pass also computes the gradient of the input
  std::optional<onednn::Tag> input_layout = {};  ///< none: plain, as users give images
  bool plain_output = true;                      ///< or in the layout of the last op
};

/// The backward pass of an op, and what follows it.
struct Backward {
  /// into += of: of two gradients of one value, where several ops read it.
  struct Sum {
    float* into;
    const float* of;
    std::size_t count;
  };

  std::size_t op;
  std::size_t later = 0;  ///< where the gradients of the layers behind it begin
  bool data = false;      ///< the gradient of a source is needed
  std::vector<Sum> sums = {};
};

/// A Sequential compiled for every batch size it may be given, rounded up to one of a few. Rows of
/// padding hold old images and have zero gradients, so they change nothing but the time.
class Network {
 public:
  /// Throws Error (user) if the layers do not fit, or the weights are another model's. Refers to
  /// `weights` and `context`.
  Network(onednn::Context& context, const Sequential& model, const Weights& weights,
          const NetworkOptions& options);
  /// A network whose weights are inside those of another one, and its gradients too, if there are
  /// some. Does not check the weights.
  Network(onednn::Context& context, const Sequential& model, PlacedWeights weights,
          const NetworkOptions& options);

  int max_batch() const { return options_.batch; }
  /// Layout of its output, if it is the same for all batch sizes.
  std::optional<onednn::Tag> output_layout() const;
  const Shape& input_shape() const { return model_.input; }
  int outputs() const { return outputs_; }
  bool ends_in_softmax() const { return ends_in_softmax_; }
  bool training() const { return options_.training; }
  /// Number of images of the last forward(); 0 before it.
  int count() const { return last_count_; }

  /// Memory for the images of the next forward(): (max_batch, input).
  std::span<float> input() { return {input_, options_.batch * input_floats_}; }

  /// For the next forward().
  void set_labels(std::span<const int> labels) { labels_ = labels; }
  /// Without a key dropout is off. Returns (count, outputs), valid until the next call.
  std::span<const float> forward(int count, const RandomKey* key);
  /// As a part of another network's pass: `pass` has the number of images.
  std::span<const float> forward(const ops::Pass& pass);
  /// Without training valid until any network of the context runs.
  std::span<const float> logits() const;
  void backward(std::span<const float> gradient, GradientOf where);

  /// backward() calls it with a place in gradients() when those from there on are computed.
  void on_gradients(std::function<void(std::size_t begin)> call) {
    on_gradients_ = std::move(call);
  }

  /// A dense layer whose kernel is trained.
  struct DenseLayer {
    std::size_t inputs;
    std::size_t units;
    std::size_t begin;  ///< of the gradients of its kernel and then its bias, among gradients()
    std::size_t size;
  };
  std::vector<DenseLayer> dense_layers() const;
  /// The next backward() leaves out the gradients of that of dense_layers(), and copies what they
  /// are made of: the layer's input, (count, inputs), and then the gradient of its result before
  /// the activation, (count, units).
  void give_rows(std::size_t layer, float* to);
  /// After backward(): computes the gradients of that layer from `rows` such rows of another
  /// network. Overwrites activations.
  void take_rows(std::size_t layer, int rows, const float* from);
  /// After backward(): the gradient of the input, (count, input), if NetworkOptions wants it.
  std::span<float> diff_input() const;

  std::string first_not_finite() const;
  /// Size of its activations, gradients and prepared parameters, without what the context shares.
  std::size_t bytes() const;

  std::vector<ExpertShares> expert_shares() const;

  void start_profile();
  std::vector<LayerProfile> profile() const;

  std::span<float> gradients() { return gradients_; }
  /// Sets the gradients of its tensors to zero.
  void clear_gradients();

 private:
  struct Program {
    int batch;
    std::vector<LayerOp> ops;
    std::vector<Backward> backward;  ///< in the order in which they run
    std::vector<std::size_t> dense;  ///< ops of dense_layers()
    dnnl::memory output;
    dnnl::memory logits;
    dnnl::memory diff_output;
    dnnl::memory diff_input;
  };

  Program build(int batch);
  Program& program_for(int count);
  bool trains_kernel_of(const ops::Op& op) const;
  std::size_t first_gradient_of(std::size_t layer) const;
  ExpertShares routed_shares(std::size_t layer, const Experts& experts) const;
  void plan_backward(Program& program, ops::Plan& plan);
  /// Adds to a layer's time what `run` takes, if that is wanted.
  template <class Run>
  void timed(double LayerProfile::*seconds, const LayerOp& op, const Run& run);

  onednn::Context& context_;
  Sequential model_;
  NetworkOptions options_;
  std::size_t input_floats_ = 0;  ///< of an image
  int outputs_ = 0;
  bool ends_in_softmax_ = false;
  float* input_ = nullptr;
  std::vector<float> gradients_;  ///< empty if they are inside those of another network
  PlacedWeights weights_;
  ExpertsByLayer experts_;
  Workspace workspace_;
  std::vector<float> answers_;     ///< the last output, which the context's next network overwrites
  std::vector<Program> programs_;  ///< by rising batch
  std::function<void(std::size_t)> on_gradients_;
  std::span<const int> labels_;
  Program* last_ = nullptr;
  int last_count_ = 0;
  std::vector<LayerProfile> profile_;  ///< by layer; empty if none is wanted
  std::int64_t forward_images_ = 0;
  std::int64_t backward_images_ = 0;
};

}  // namespace sluice

#pragma once

#include <vector>

#include "graph/operation.h"
#include "onednn/planes.h"
#include "ops/op.h"
#include "ops/relu.h"

namespace sluice::ops {

/// Parameters of a BatchNormalization, (C) each; gamma and beta may be without values.
struct BatchNormalizationParameters {
  Parameter gamma, beta;
  float* moving_mean;      ///< written in training
  float* moving_variance;  ///< likewise
};

/// Batch normalisation with fused ReLU or GELU over all axes but the channels, by the statistics of
/// the pass's rows in training, unless it is frozen, and the moving ones at inference (Ioffe and
/// Szegedy 2015). src (N, C, H, W) or (N, C) in any layout, dst in that of src. Its sums are
/// divided by images, not by threads, so that the bits do not depend on the number of threads.
class BatchNormalization : public Op {
 public:
  BatchNormalization(Plan& plan, const dnnl::memory& src,
                     const operation::BatchNormalization& operation, const FusedRelu& relu,
                     bool gelu, const BatchNormalizationParameters& parameters);

  bool has_parameters() const override;
  bool reads_its_result() const override { return relu_.has_max_value(); }
  dnnl::memory plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool need_diff_src) override;
  void forward(onednn::Context& context, const Pass& pass) override;
  void backward_weights(onednn::Context& context) override;
  void backward_data(onednn::Context& context) override;

 private:
  /// Calls body(block, first image, last image, part) for parts of the real rows, in parallel.
  template <class Body>
  void for_each_part(const Body& body) const;
  /// Pixels of a plane that are summed in single precision.
  struct Chunk {
    std::size_t values;  ///< place of its first value
    std::size_t pixels;
    std::size_t first_lane;
    std::size_t done;  ///< pixels of its part before it
  };
  /// Calls body(chunk, two rows of lanes for its sums, the two rows of its part's sums) for every
  /// chunk of the real rows. The sums of all parts are 0 before.
  template <class Body>
  void sum_in_parts(const Body& body);
  double* part_sums(std::size_t part) { return sums_.data() + 2 * part * lanes_of_all(); }
  std::size_t lanes_of_all() const { return planes_.blocks * planes_.lanes; }
  std::size_t plane() const { return planes_.pixels() * planes_.lanes; }
  /// Makes gradients of GELU's results those of its sources, for pixels of one block.
  void undo_gelu(std::size_t values, std::size_t first_lane, std::size_t pixels);
  void compute_moments();
  void update_moving_moments();

  operation::BatchNormalization operation_;
  FusedRelu relu_;
  bool gelu_;
  BatchNormalizationParameters parameters_;
  onednn::Planes planes_;
  // By lane.
  std::vector<float> mean_, inverse_, scale_, offset_;
  std::vector<float> variance_;
  std::vector<double> sums_;  ///< of each part, two for each lane
  std::vector<float> diff_gamma_, diff_beta_;
  std::size_t rows_ = 0;  ///< of the last forward pass
  bool of_batch_ = false;
  dnnl::memory diff_dst_;
  float* diff_ = nullptr;  ///< its values
};

}  // namespace sluice::ops

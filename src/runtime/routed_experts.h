#pragma once

#include <span>
#include <vector>

#include "ops/op.h"
#include "runtime/experts.h"

namespace sluice {

/// A MixtureOfExperts layer: gathers the images of each expert, runs it for them, and adds its
/// weighted output to theirs.
class RoutedExperts : public ops::Op {
 public:
  /// Sources: values, and logits (N, experts). `selection_bias`, or null, is changed by training;
  /// `number` is that of the layer among those with noise.
  RoutedExperts(ops::Plan& plan, const std::vector<dnnl::memory>& sources,
                const operation::MixtureOfExperts& mixture, float* selection_bias,
                std::uint32_t number, Experts& experts);

  bool has_parameters() const override { return true; }
  std::vector<dnnl::memory> plan_backward_of_all(ops::Plan& plan, const dnnl::memory& diff_dst,
                                                 const std::vector<bool>& wanted) override;
  void forward(onednn::Context& context, const ops::Pass& pass) override;
  void backward_weights(onednn::Context& context) override;
  void backward_data(onednn::Context& context) override;

 private:
  /// The work of an expert in the last pass.
  struct Share {
    std::vector<std::size_t> slots;  ///< of each of its rows the place of its weight in weights_
    std::span<const float> output;   ///< (rows, output)
  };

  void route(const ops::Pass& pass);
  void move_selection_bias();
  void take_labels(std::span<const int> labels);
  void backward_logits();

  Experts& experts_;
  std::size_t top_k_;
  bool normalize_weights_;
  float gate_loss_;
  std::vector<int> expert_of_class_;
  float balance_loss_;
  float temperature_;
  float noise_;
  std::uint32_t number_;
  std::span<float> selection_bias_;  ///< empty without one
  float bias_rate_;                  ///< 0 where nothing moves the bias
  const float* logits_;
  std::size_t output_floats_;         ///< of an image
  std::vector<Share> shares_;         ///< by expert
  int rows_ = 0;                      ///< of the last pass
  float share_of_batch_ = 1;          ///< of the last pass
  std::vector<float> row_logits_;     ///< of one image, with noise
  std::vector<float> row_scores_;     ///< which the choice compares
  std::vector<int> right_;            ///< its experts by the labels; empty without labels
  std::vector<float> probabilities_;  ///< (rows, experts)
  std::vector<int> chosen_;           ///< (rows, top_k), as the next two
  std::vector<float> weights_;
  std::vector<float> diff_weights_;
  float* diff_output_ = nullptr;  ///< of one expert
  float* diff_dst_ = nullptr;
  dnnl::memory diff_src_;
  dnnl::memory diff_logits_;
};

}  // namespace sluice

#pragma once

#include <span>
#include <vector>

#include "ops/op.h"
#include "runtime/experts.h"

namespace sluice {

/// A Cascade layer: gathers the images that go on, by expert, and runs the experts for them alone.
class CascadedExperts : public ops::Op {
 public:
  /// Sources: values, and the first answer's logits (N, classes). `thresholds` are read in each
  /// pass.
  CascadedExperts(ops::Plan& plan, const std::vector<dnnl::memory>& sources,
                  const operation::Cascade& cascade, const float* thresholds, Experts& experts);

  bool has_parameters() const override { return true; }
  std::vector<dnnl::memory> plan_backward_of_all(ops::Plan& plan, const dnnl::memory& diff_dst,
                                                 const std::vector<bool>& wanted) override;
  void forward(onednn::Context& context, const ops::Pass& pass) override;
  void backward_weights(onednn::Context& context) override;
  void backward_data(onednn::Context& context) override;

 private:
  /// Notes the rows of each expert.
  void route(const ops::Pass& pass);
  std::span<float> probabilities(int row) {
    return std::span(probabilities_).subspan(static_cast<std::size_t>(row) * classes_, classes_);
  }

  Experts& experts_;
  std::vector<int> expert_of_class_;
  double training_share_;
  float first_loss_;
  std::span<const float> thresholds_;
  double share_;
  const float* logits_;
  std::size_t classes_;
  int rows_ = 0;                      ///< of the last pass
  float share_of_batch_ = 1;          ///< of the last pass
  std::vector<int> labels_;           ///< of its images; empty without
  std::vector<float> probabilities_;  ///< (rows, classes), of the first answer
  std::vector<float> confidences_;    ///< the largest of each row
  std::vector<char> goes_on_;         ///< by row
  const float* diff_dst_ = nullptr;
  std::vector<float> diff_output_;  ///< of one expert
  dnnl::memory diff_src_;
  dnnl::memory diff_logits_;
};

}  // namespace sluice

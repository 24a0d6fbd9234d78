#include "runtime/cascaded_experts.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "graph/thresholds.h"
#include "runtime/gating.h"
#include "runtime/image_rows.h"
#include "runtime/network.h"

namespace sluice {

CascadedExperts::CascadedExperts(ops::Plan& plan, const std::vector<dnnl::memory>& sources,
                                 const operation::Cascade& cascade, const float* thresholds,
                                 Experts& experts)
    : Op(sources[0], plan.take(sources[1].get_desc())),
      experts_(experts),
      expert_of_class_(cascade.expert_of_class),
      training_share_(cascade.training_share),
      first_loss_(static_cast<float>(cascade.first_loss)),
      thresholds_(thresholds, kThresholdCount),
      share_(cascade.share),
      logits_(onednn::data(sources[1])),
      classes_(floats_of_image(dst_)) {
  const auto batch = static_cast<std::size_t>(batch_of(src_));
  probabilities_.resize(batch * classes_);
  labels_.reserve(batch);
}

std::vector<dnnl::memory> CascadedExperts::plan_backward_of_all(ops::Plan& plan,
                                                                const dnnl::memory& diff_dst,
                                                                const std::vector<bool>& wanted) {
  diff_dst_ = onednn::data(diff_dst);
  diff_output_.resize(probabilities_.size());
  if (wanted[0]) diff_src_ = plan.take_gradient(src_.get_desc());
  if (wanted[1]) diff_logits_ = plan.take_gradient(dst_.get_desc());
  return {diff_src_, diff_logits_};
}

void CascadedExperts::route(const ops::Pass& pass) {
  rows_ = pass.rows;
  share_of_batch_ = pass.share;
  labels_.assign(pass.labels.begin(), pass.labels.end());
  for (const int label : labels_) {
    if (static_cast<std::size_t>(label) < classes_) continue;
    throw user_error("model",
                     "a cascade has {} logits, and there is a class {}: give it one for each class",
                     classes_, label);
  }
  experts_.clear_rows();
  confidences_.clear();
  for (int row = 0; row < rows_; ++row) {
    const std::span logits(logits_ + static_cast<std::size_t>(row) * classes_, classes_);
    probabilities_of(logits, probabilities(row));
    confidences_.push_back(std::ranges::max(probabilities(row)));
  }
  if (pass.phase == ops::Phase::training) {
    mark_smallest(confidences_, static_cast<std::size_t>(std::ceil(training_share_ * rows_)),
                  goes_on_);
  } else {
    goes_on_.clear();
    const float threshold = threshold_for(thresholds_, share_);
    for (const float confidence : confidences_) goes_on_.push_back(confidence < threshold);
  }
  for (int row = 0; row < rows_; ++row) {
    if (goes_on_[static_cast<std::size_t>(row)] == 0) continue;
    const auto answer = static_cast<std::size_t>(std::ranges::max_element(probabilities(row)) -
                                                 probabilities(row).begin());
    const int expert = expert_of_class_.empty() ? 0 : expert_of_class_[answer];
    experts_.rows(static_cast<std::size_t>(expert)).push_back(row);
  }
}

void CascadedExperts::forward(onednn::Context&, const ops::Pass& pass) {
  route(pass);
  float* dst = onednn::data(dst_);
  std::copy_n(logits_, static_cast<std::size_t>(rows_) * classes_, dst);
  for (std::size_t e = 0; e < experts_.count(); ++e) {
    const std::vector<int>& rows = experts_.rows(e);
    if (rows.empty()) continue;
    const std::span<const float> output = experts_.forward(e, src_, pass);
    for (std::size_t i = 0; i < output.size(); ++i) {
      float& value = dst[rows[i / classes_] * classes_ + i % classes_];
      value = pass.phase == ops::Phase::training ? output[i] : (value + output[i]) / 2;
    }
  }
}

void CascadedExperts::backward_weights(onednn::Context&) {
  // The loss is a mean over the batch: for the experts over the images that went on.
  std::size_t went_on = 0;
  for (std::size_t e = 0; e < experts_.count(); ++e) went_on += experts_.rows(e).size();
  const float scale = static_cast<float>(rows_) / static_cast<float>(went_on);
  for (std::size_t e = 0; e < experts_.count(); ++e) {
    const std::vector<int>& rows = experts_.rows(e);
    if (rows.empty()) {
      experts_[e].clear_gradients();  // the optimizer still steps: its moments decay
      continue;
    }
    for (std::size_t i = 0; i < rows.size() * classes_; ++i) {
      diff_output_[i] = scale * diff_dst_[rows[i / classes_] * classes_ + i % classes_];
    }
    experts_[e].backward(std::span(diff_output_).first(rows.size() * classes_), GradientOf::output);
  }
}

void CascadedExperts::backward_data(onednn::Context&) {
  if (diff_src_) {
    std::fill_n(onednn::data(diff_src_), onednn::stored(diff_src_), 0.f);
    for (std::size_t e = 0; e < experts_.count(); ++e) {
      if (!experts_.rows(e).empty()) experts_.add_diff_input(e, diff_src_);
    }
  }
  if (!diff_logits_) return;
  float* diff = onednn::data(diff_logits_);
  std::fill_n(diff, onednn::stored(diff_logits_), 0.f);
  const float scale = share_of_batch_ * first_loss_ / static_cast<float>(rows_);
  for (std::size_t row = 0; row < labels_.size(); ++row) {
    float* of_row = diff + row * classes_;
    const std::span<const float> answer = probabilities(static_cast<int>(row));
    for (std::size_t c = 0; c < classes_; ++c) of_row[c] = scale * answer[c];
    of_row[labels_[row]] -= scale;
  }
}

}  // namespace sluice

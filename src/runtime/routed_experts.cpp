#include "runtime/routed_experts.h"

#include <algorithm>

#include "base/fail.h"
#include "base/simd.h"
#include "runtime/gating.h"
#include "runtime/image_rows.h"
#include "runtime/network.h"

namespace sluice {

namespace {

SLUICE_VECTORISED void scale(const float* values, std::size_t count, float by, float* to) {
  for (std::size_t i = 0; i < count; ++i) to[i] = by * values[i];
}

SLUICE_VECTORISED void add_scaled(const float* values, std::size_t count, float by, float* to) {
  for (std::size_t i = 0; i < count; ++i) to[i] += by * values[i];
}

SLUICE_VECTORISED float dot(const float* a, const float* b, std::size_t count) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

RoutedExperts::RoutedExperts(ops::Plan& plan, const std::vector<dnnl::memory>& sources,
                             const operation::MixtureOfExperts& mixture, float* selection_bias,
                             std::uint32_t number, Experts& experts)
    : Op(sources[0], plan.take(experts.output_desc(batch_of(sources[0])))),
      experts_(experts),
      top_k_(static_cast<std::size_t>(mixture.top_k)),
      normalize_weights_(mixture.normalize_weights),
      gate_loss_(static_cast<float>(mixture.gate_loss)),
      expert_of_class_(mixture.expert_of_class),
      balance_loss_(static_cast<float>(mixture.balance_loss)),
      temperature_(static_cast<float>(mixture.temperature)),
      noise_(static_cast<float>(mixture.noise)),
      number_(number),
      bias_rate_(plan.training ? static_cast<float>(mixture.bias_rate) : 0),
      logits_(onednn::data(sources[1])),
      output_floats_(floats_of_image(dst_)),
      shares_(experts.count()) {
  constexpr std::uint32_t kMostNoisy = 256;  // after these, the next part's streams begin
  if (number >= kMostNoisy) {
    throw user_error("model", "more than {} layers of experts have noise: set noise = 0 in some",
                     kMostNoisy);
  }
  if (selection_bias != nullptr) selection_bias_ = {selection_bias, experts.count()};
  const auto batch = static_cast<std::size_t>(batch_of(src_));
  for (Share& share : shares_) share.slots.reserve(batch);
  probabilities_.resize(batch * experts.count());
  chosen_.resize(batch * top_k_);
  weights_.resize(batch * top_k_);
  row_logits_.reserve(experts.count());
  row_scores_.reserve(experts.count());
  right_.reserve(batch);
}

std::vector<dnnl::memory> RoutedExperts::plan_backward_of_all(ops::Plan& plan,
                                                              const dnnl::memory& diff_dst,
                                                              const std::vector<bool>& wanted) {
  diff_dst_ = onednn::data(diff_dst);
  diff_weights_.resize(weights_.size());
  diff_output_ = plan.workspace.take(dst_.get_desc().get_size());
  const auto experts = static_cast<dnnl::memory::dim>(shares_.size());
  if (wanted[0]) diff_src_ = plan.take_gradient(src_.get_desc());
  if (wanted[1]) {
    diff_logits_ = plan.take_gradient(onednn::layout({batch_of(src_), experts}, onednn::Tag::nc));
  }
  return {diff_src_, diff_logits_};
}

void RoutedExperts::route(const ops::Pass& pass) {
  rows_ = pass.rows;
  experts_.clear_rows();
  for (Share& share : shares_) share.slots.clear();
  const std::size_t experts = shares_.size();
  const bool training = pass.phase == ops::Phase::training;
  const RandomStream random(pass.seed, Purpose::gate_noise, pass.stream + number_, pass.step);
  for (int row = 0; row < rows_; ++row) {
    row_logits_.assign(logits_ + row * experts, logits_ + (row + 1) * experts);
    if (training && noise_ > 0) add_noise(random, pass.first_row + row, noise_, row_logits_);
    row_scores_ = row_logits_;
    for (std::size_t e = 0; e < selection_bias_.size(); ++e) row_scores_[e] += selection_bias_[e];
    const std::span probabilities = std::span(probabilities_).subspan(row * experts, experts);
    const std::span chosen = std::span(chosen_).subspan(row * top_k_, top_k_);
    const std::span weights = std::span(weights_).subspan(row * top_k_, top_k_);
    choose(row_scores_, chosen);
    probabilities_of(row_logits_, probabilities, temperature_);
    if (normalize_weights_ && !selection_bias_.empty()) {
      normalized_weights_of(row_logits_, chosen, temperature_, weights);
    } else {
      weights_of(probabilities, chosen, normalize_weights_, weights);
    }
    for (std::size_t k = 0; k < top_k_; ++k) {
      const auto expert = static_cast<std::size_t>(chosen[k]);
      experts_.rows(expert).push_back(row);
      shares_[expert].slots.push_back(row * top_k_ + k);
    }
  }
}

void RoutedExperts::move_selection_bias() {
  std::vector<std::size_t> counts;
  for (const Share& share : shares_) counts.push_back(share.slots.size());
  balance(counts, bias_rate_, selection_bias_);
}

void RoutedExperts::take_labels(std::span<const int> labels) {
  right_.clear();
  if (gate_loss_ == 0) return;
  for (const int label : labels) {
    const auto index = static_cast<std::size_t>(label);
    if (index >= expert_of_class_.size()) {
      throw user_error("model",
                       "expert_of_class has {} numbers, and there is a class {}: give an "
                       "expert for each class",
                       expert_of_class_.size(), label);
    }
    right_.push_back(expert_of_class_[index]);
  }
}

void RoutedExperts::forward(onednn::Context&, const ops::Pass& pass) {
  route(pass);
  share_of_batch_ = pass.share;
  take_labels(pass.labels);
  if (pass.phase == ops::Phase::training && bias_rate_ > 0) move_selection_bias();
  float* dst = onednn::data(dst_);
  // Several experts add to an image; one alone writes it.
  const bool adds = top_k_ > 1;
  if (adds) std::fill_n(dst, rows_ * output_floats_, 0.f);
  for (std::size_t e = 0; e < shares_.size(); ++e) {
    Share& share = shares_[e];
    const std::vector<int>& its_rows = experts_.rows(e);
    if (its_rows.empty()) continue;
    share.output = experts_.forward(e, src_, pass);
    for_each_image(its_rows.size(), output_floats_, [&](std::size_t i) {
      const float* output = share.output.data() + i * output_floats_;
      float* to = dst + its_rows[i] * output_floats_;
      if (adds) {
        add_scaled(output, output_floats_, weights_[share.slots[i]], to);
      } else {
        scale(output, output_floats_, weights_[share.slots[i]], to);
      }
    });
  }
}

void RoutedExperts::backward_weights(onednn::Context&) {
  for (std::size_t e = 0; e < shares_.size(); ++e) {
    const Share& share = shares_[e];
    const std::vector<int>& its_rows = experts_.rows(e);
    Network& expert = experts_[e];
    if (its_rows.empty()) {
      expert.clear_gradients();  // the optimizer still steps: its moments decay
      continue;
    }
    for_each_image(its_rows.size(), output_floats_, [&](std::size_t i) {
      const float* diff = diff_dst_ + its_rows[i] * output_floats_;
      const std::size_t slot = share.slots[i];
      diff_weights_[slot] = dot(diff, share.output.data() + i * output_floats_, output_floats_);
      scale(diff, output_floats_, weights_[slot], diff_output_ + i * output_floats_);
    });
    expert.backward({diff_output_, its_rows.size() * output_floats_}, GradientOf::output);
  }
}

void RoutedExperts::backward_data(onednn::Context&) {
  if (diff_src_) {
    std::fill_n(onednn::data(diff_src_), onednn::stored(diff_src_), 0.f);
    for (std::size_t e = 0; e < shares_.size(); ++e) {
      if (!experts_.rows(e).empty()) experts_.add_diff_input(e, diff_src_);
    }
  }
  if (diff_logits_) backward_logits();
}

void RoutedExperts::backward_logits() {
  const std::size_t experts = shares_.size();
  float* diff_logits = onednn::data(diff_logits_);
  std::fill_n(diff_logits, onednn::stored(diff_logits_), 0.f);
  // The gradient of the balance loss for the probabilities of any image.
  std::vector<float> of_probabilities;
  const auto rows = static_cast<float>(rows_);
  const float balance_loss = share_of_batch_ * balance_loss_;
  const float gate_loss = share_of_batch_ * gate_loss_ / temperature_;
  for (const Share& share : shares_) {
    const float chosen =
        static_cast<float>(share.slots.size()) / (rows * static_cast<float>(top_k_));
    of_probabilities.push_back(balance_loss * static_cast<float>(experts) * chosen / rows);
  }
  for (int row = 0; row < rows_; ++row) {
    const auto of_row = [&](auto& all, std::size_t width) {
      return std::span(all).subspan(row * width, width);
    };
    gate_backward(of_row(probabilities_, experts), of_row(chosen_, top_k_),
                  of_row(weights_, top_k_), normalize_weights_, of_row(diff_weights_, top_k_),
                  of_probabilities, temperature_, {diff_logits + row * experts, experts});
    if (right_.empty()) continue;
    float* diff = diff_logits + row * experts;
    for (std::size_t e = 0; e < experts; ++e) {
      diff[e] += gate_loss / rows * probabilities_[row * experts + e];
    }
    diff[right_[static_cast<std::size_t>(row)]] -= gate_loss / rows;
  }
}

}  // namespace sluice

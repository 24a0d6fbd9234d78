#include "data/batch_sequence.h"

#include <algorithm>
#include <cmath>

namespace sluice {

namespace {

/// Returns max(x, 1 - x) for x from Beta(a, a), a at most 1, by Joehnk's algorithm: u^(1/a) and
/// v^(1/a) of uniform u and v, accepted if their sum is at most 1. Logarithms avoid underflow.
double mixup_weight(const BatchSequence::Options& options, int epoch, std::uint32_t batch) {
  for (std::uint64_t attempt = 0;; ++attempt) {
    const auto bits = RandomStream(options.seed, Purpose::mixup, attempt << 32 | options.stage,
                                   static_cast<std::uint32_t>(epoch))
                          .bits(batch);
    const auto log_power = [&](std::uint32_t word) {
      return std::log((double{RandomStream::unit(word)} + 0x1p-25)) / options.augment.mixup;
    };
    const double x = log_power(bits[0]);
    const double y = log_power(bits[1]);
    if (std::exp(x) + std::exp(y) <= 1) return 1 / (1 + std::exp(-std::abs(x - y)));
  }
}

}  // namespace

BatchSequence::BatchSequence(const Examples& examples, const Options& options, int epoch, int step)
    : examples_(examples),
      options_(options),
      next_(static_cast<std::size_t>(step) * options.batch_size),
      epoch_(epoch) {
  if (options.augment.any()) {
    augmenter_.emplace(options.augment, examples, options.seed, options.stage);
  }
}

void BatchSequence::fill_next(Batch& batch) {
  const std::size_t used = options_.used(examples_.size());
  if (next_ >= used) {
    order_.clear();
    next_ = 0;
    ++epoch_;
  }
  if (order_.empty()) {
    order_ =
        permutation(examples_.size(), RandomStream(options_.seed, Purpose::shuffle, options_.stage,
                                                   static_cast<std::uint32_t>(epoch_)));
  }
  const std::size_t first = next_;
  const std::size_t end = std::min(next_ + options_.batch_size, used);
  const std::span rows = std::span(order_).subspan(next_, end - next_);
  next_ = end;
  if (!augmenter_) return fill_batch(examples_, rows, batch);
  const std::size_t image = resize_batch(examples_, rows, batch);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    augmenter_->write(rows[i], epoch_, std::span(batch.images).subspan(i * image, image));
  }
  if (options_.augment.mixup > 0) mix(first, batch);
}

/// The order of the images is random, so the next one is a random one. `first` is the place of the
/// batch in its epoch.
void BatchSequence::mix(std::size_t first, Batch& batch) {
  const std::size_t image = batch.images.size() / batch.labels.size();
  const double weight = mixup_weight(options_, epoch_, static_cast<std::uint32_t>(first));
  batch.weight = static_cast<float>(weight);
  batch.other_labels = batch.labels;
  std::rotate(batch.other_labels.begin(), batch.other_labels.begin() + 1, batch.other_labels.end());
  first_image_.assign(batch.images.begin(),
                      batch.images.begin() + static_cast<std::ptrdiff_t>(image));
  for (std::size_t i = 0; i < batch.images.size(); ++i) {
    const std::size_t next = i + image;
    const float other =
        next < batch.images.size() ? batch.images[next] : first_image_[next - batch.images.size()];
    batch.images[i] = batch.weight * batch.images[i] + (1 - batch.weight) * other;
  }
}

}  // namespace sluice

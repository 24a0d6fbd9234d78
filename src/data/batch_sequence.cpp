#include "data/batch_sequence.h"

#include <algorithm>

namespace sluice {

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
  if (next_ >= examples_.size()) {
    order_.clear();
    next_ = 0;
    ++epoch_;
  }
  if (order_.empty()) {
    order_ =
        permutation(examples_.size(), RandomStream(options_.seed, Purpose::shuffle, options_.stage,
                                                   static_cast<std::uint32_t>(epoch_)));
  }
  const std::size_t end = std::min(next_ + options_.batch_size, order_.size());
  const std::span rows = std::span(order_).subspan(next_, end - next_);
  next_ = end;
  if (!augmenter_) return fill_batch(examples_, rows, batch);
  const std::size_t image = resize_batch(examples_, rows, batch);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    augmenter_->write(rows[i], epoch_, std::span(batch.images).subspan(i * image, image));
  }
}

}  // namespace sluice

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "data/augment/augmenter.h"
#include "data/batching.h"

namespace sluice {

/// The batches of a fit in their order: a new permutation of the examples in every epoch, whose
/// last batch may be partial. Images are augmented if the options ask for it.
class BatchSequence {
 public:
  struct Options {
    std::size_t batch_size;
    std::uint64_t seed;
    std::uint32_t stage;
    Augmentation augment;
    bool drop_remainder = false;  ///< leaves out a partial batch, unless it is the only one

    /// Number of `examples` that the batches of an epoch have.
    std::size_t used(std::size_t examples) const {
      return drop_remainder && examples >= batch_size ? examples - examples % batch_size : examples;
    }
  };

  /// Starts after `step` steps of an epoch, from 1. Refers to the examples. Throws Error (user) for
  /// an augmentation that does not fit the images.
  BatchSequence(const Examples& examples, const Options& options, int epoch, int step);

  /// Fills `batch` with the next batch, and reuses its memory.
  void fill_next(Batch& batch);

 private:
  void mix(std::size_t first, Batch& batch);

  const Examples& examples_;
  Options options_;
  std::optional<Augmenter> augmenter_;
  std::vector<float> first_image_;    ///< of a batch, for mixup
  std::vector<std::uint32_t> order_;  ///< of the epoch; empty before its first batch here
  std::size_t next_;                  ///< place in the order
  int epoch_;
};

}  // namespace sluice

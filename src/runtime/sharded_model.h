#pragma once

#include <exception>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "runtime/backward_progress.h"
#include "runtime/network.h"
#include "sluice/network.h"
#include "sluice/process.h"

namespace sluice {

/// A model that can compute a shard.
class ShardModel : public CompiledModel {
 public:
  /// Its network that takes all images, and has the first gradients of trained().
  virtual Network& main_network() = 0;
};

/// A model that divides each batch into shards: parts of fixed rows, each of which is computed by
/// one thread, with its own statistics of batch normalisation. Gradients are summed by a binary
/// tree over the shards, so results depend on the number of shards alone and not on threads or
/// ranks. Each rank computes neighbouring shards, and has the outputs of all.
///
/// Ranks send each other the sums of their gradients, except for dense layers of which less is sent
/// otherwise: each rank gets the layer's input and output gradient of all rows, and computes the
/// gradients of all shards, with the same bits as the shard's own rank.
class ShardedModel : public CompiledModel {
 public:
  /// A model for the rows of one shard.
  struct Shard {
    std::shared_ptr<void> weights;  ///< its copy; empty if it has the weights of the first
    std::unique_ptr<ShardModel> model;
  };

  /// `own` are the shards of this rank, of which the first has the weights that a trainer changes.
  ShardedModel(std::vector<Shard> own, const CompileOptions& options);

  int max_batch() const override { return options_.batch; }
  const Shape& input_shape() const override { return first().input_shape(); }
  int outputs() const override { return first().outputs(); }
  bool ends_in_softmax() const override { return first().ends_in_softmax(); }
  std::span<const float> predict(std::span<const float> images, int count) override;
  void set_labels(std::span<const int> labels) override { labels_ = labels; }
  std::span<const float> forward(std::span<const float> images, int count,
                                 const RandomKey& key) override;
  std::span<const float> logits() const override;
  /// The way of an image of this rank's shards.
  std::optional<Route> route(int row) const override;
  /// All ranks call it.
  std::vector<ExpertShares> expert_shares() const override;
  void backward(std::span<const float> gradient, GradientOf where) override;
  std::vector<Trained> trained() override { return own_.front().model->trained(); }
  std::vector<std::span<float>> state() override { return own_.front().model->state(); }
  std::string first_not_finite() const override;
  std::size_t memory_bytes() const override;
  void start_profile() override;
  std::vector<LayerProfile> profile() const override;

 private:
  /// A part of the gradients of trained().
  struct Part {
    std::size_t block;
    std::size_t begin;
    std::size_t size;
    // Of a dense layer whose rows go to all ranks.
    std::size_t layer = 0;         ///< its number among Network::dense_layers()
    std::size_t floats = 0;        ///< of a row; 0 for a part that is summed over the ranks
    std::vector<float> rows = {};  ///< shard after shard, each as Network::give_rows() writes it
    /// Sums over 1, 2, 4 ... ranks, which are not yet added to those of as many ranks after them.
    std::vector<std::vector<float>> sums = {};
  };

  const CompiledModel& first() const { return *own_.front().model; }
  /// The number of the first own shard among all.
  std::size_t first_own() const {
    return options_.ranks == nullptr ? 0 : own_.size() * std::size_t(options_.ranks->rank());
  }
  std::size_t ranks() const { return static_cast<std::size_t>(options_.shards) / own_.size(); }
  /// The rows of an own shard in the last pass.
  std::pair<int, int> rows_of(std::size_t own) const {
    return {places_[first_own() + own], places_[first_own() + own + 1]};
  }
  void place_rows(int count);
  void copy_weights();
  template <class Run>
  void run_shards(const Run& run);
  /// Calls run(model, images, rows, first row) for each own shard that has rows, and collects the
  /// outputs of all ranks.
  template <class Run>
  std::span<const float> pass(std::span<const float> images, int count, const Run& run);
  template <class Value>
  void gather(std::vector<Value>& all) const;
  void divide_gradients();
  void add_summed(std::size_t block, std::size_t begin, std::size_t end);
  /// Of each own shard.
  std::vector<std::span<float>> gradients_of(const Part& part) const;
  void compute_shards(std::span<const float> gradient, GradientOf where);
  std::size_t compute_and_send(std::span<const float> gradient, GradientOf where);
  void send(Part& part);
  void compute_gathered_of(std::size_t rank);
  void average_state();

  CompileOptions options_;
  std::vector<Shard> own_;
  std::vector<std::vector<Trained>> trained_;          ///< of each own shard
  std::vector<std::vector<std::span<float>>> states_;  ///< likewise
  std::vector<std::vector<std::span<float>>> moving_;  ///< likewise: moving_statistics()
  std::vector<int> places_;     ///< of each shard's first row in the last pass, and the end
  std::vector<float> outputs_;  ///< (rows, outputs) of all shards
  std::vector<float> logits_;   ///< likewise, for a model that has them
  std::vector<Part> parts_;     ///< in the order in which they are sent
  BackwardProgress progress_;
  std::span<const int> labels_;
};

/// The parts of a model's state that forward() changes. The rest is frozen.
std::vector<std::span<float>> moving_statistics(CompiledModel& model);

/// Throws Error (user) unless the options' shards and ranks are as CompileOptions says.
void require_shards(const CompileOptions& options);

/// Compiles a model for training by make(weights, options), or a model of shards where the options
/// want them.
template <class ModelWeights, class Make>
std::unique_ptr<CompiledModel> compile_in_shards(ModelWeights& weights,
                                                 const CompileOptions& options, const Make& make) {
  require_shards(options);
  if (options.shards == 1) return make(weights, options);
  const ThreadTeam one(1);
  const int ranks = options.ranks == nullptr ? 1 : options.ranks->size();
  const CompileOptions of_shard{.batch = (options.batch + options.shards - 1) / options.shards,
                                .compute = options.compute};
  std::vector<ShardedModel::Shard> own(static_cast<std::size_t>(options.shards / ranks));
  for (ShardedModel::Shard& shard : own) {
    const bool has_own_state = own.front().model && !moving_statistics(*own.front().model).empty();
    std::shared_ptr<ModelWeights> copy;
    if (has_own_state) copy = std::make_shared<ModelWeights>(weights);
    shard = {copy, make(copy ? *copy : weights, of_shard)};
  }
  return std::make_unique<ShardedModel>(std::move(own), options);
}

}  // namespace sluice

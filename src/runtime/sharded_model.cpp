#include "runtime/sharded_model.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <thread>

#include "base/fail.h"
#include "cluster/collective.h"
#include "cluster/ranks.h"
#include "graph/layers/routing.h"
#include "runtime/checks.h"

namespace sluice {

namespace {

void copy_values(const std::vector<std::span<float>>& from,
                 const std::vector<std::span<float>>& to) {
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i].data() != to[i].data()) std::ranges::copy(from[i], to[i].begin());
  }
}

/// Replaces the values of the first part by the sums over all parts, in the order of a binary tree,
/// and spoils the others.
void sum_in_tree(const std::vector<std::span<float>>& parts) {
  parallel_for(parts.front().size(), kGrainOfValues, [&](std::size_t begin, std::size_t end) {
    for (std::size_t distance = 1; distance < parts.size(); distance *= 2) {
      for (std::size_t part = 0; part + distance < parts.size(); part += 2 * distance) {
        float* into = parts[part].data();
        const float* other = parts[part + distance].data();
        for (std::size_t i = begin; i < end; ++i) into[i] += other[i];
      }
    }
  });
}

/// Whether ranks send less for a dense layer if each gets the layer's rows of the whole batch,
/// where they would send the sums of its gradients in each round.
bool sends_less_by_rows(const Network::DenseLayer& layer, std::size_t batch, std::size_t ranks) {
  const auto rounds = static_cast<std::size_t>(std::countr_zero(ranks));
  const std::size_t rows_of_others = batch - batch / ranks;
  return rows_of_others * (layer.inputs + layer.units) < rounds * layer.size;
}

}  // namespace

std::vector<std::span<float>> moving_statistics(CompiledModel& model) {
  std::vector<std::span<float>> found;
  for (const CompiledModel::Trained& block : model.trained()) {
    for (const Weights::Tensor& tensor : block.tensors) {
      const bool moves = tensor.kind.ends_with("moving_mean") ||
                         tensor.kind.ends_with("moving_variance") || tensor.kind == kSelectionBias;
      if (tensor.trained || !moves) continue;
      const std::span values(block.weights.data() + tensor.offset, tensor.size);
      if (!found.empty() && std::to_address(found.back().end()) == values.data()) {
        found.back() = {found.back().data(), found.back().size() + values.size()};
      } else {
        found.push_back(values);
      }
    }
  }
  return found;
}

void require_shards(const CompileOptions& options) {
  const auto is_power_of_2 = [](int count) {
    return count > 0 && std::has_single_bit(static_cast<unsigned>(count));
  };
  if (!is_power_of_2(options.shards)) {
    throw user_error("compile", "shards = {}: must be a power of two: 1, 2, 4, 8, ...",
                     options.shards);
  }
  if (options.shards > 1 && options.shards > options.batch) {
    throw user_error("compile", "shards = {}: must leave an image for each, of a batch of {}",
                     options.shards, options.batch);
  }
  const int ranks = options.ranks == nullptr ? 1 : options.ranks->size();
  if (is_power_of_2(ranks) && ranks <= options.shards) return;
  throw user_error("compile", "{} ranks for {} shards: must be a power of two, and at most {}",
                   ranks, options.shards, options.shards);
}

ShardedModel::ShardedModel(std::vector<Shard> own, const CompileOptions& options)
    : options_(options),
      own_(std::move(own)),
      places_(static_cast<std::size_t>(options.shards) + 1),
      outputs_(static_cast<std::size_t>(options.batch) *
               static_cast<std::size_t>(first().outputs())) {
  if (first().ends_in_softmax()) logits_.resize(outputs_.size());
  for (const Shard& shard : own_) {
    trained_.push_back(shard.model->trained());
    states_.push_back(shard.model->state());
    moving_.push_back(moving_statistics(*shard.model));
  }
  divide_gradients();
  for (std::size_t s = 0; s < own_.size(); ++s) {
    own_[s].model->main_network().on_gradients(
        [this, s](std::size_t begin) { progress_.tell(s, begin); });
  }
}

/// Decides, by sizes alone, which gradients are summed over the ranks and which are computed from
/// gathered rows. Those of the main network are sent from the last to the first, as they are
/// computed.
void ShardedModel::divide_gradients() {
  const auto batch = static_cast<std::size_t>(options_.batch);
  std::size_t begin = 0;
  std::size_t number = 0;
  for (const Network::DenseLayer& layer : own_.front().model->main_network().dense_layers()) {
    const std::size_t of_dense_layers = number++;
    if (!sends_less_by_rows(layer, batch, ranks())) continue;
    const auto rounds = static_cast<std::size_t>(std::countr_zero(ranks()));
    const std::size_t floats = layer.inputs + layer.units;
    add_summed(0, begin, layer.begin);
    parts_.push_back({0, layer.begin, layer.size, of_dense_layers, floats,
                      std::vector<float>(batch * floats),
                      std::vector(rounds, std::vector<float>(layer.size))});
    begin = layer.begin + layer.size;
  }
  add_summed(0, begin, trained_.front().front().gradients.size());
  std::ranges::reverse(parts_);
  for (std::size_t block = 1; block < trained_.front().size(); ++block) {
    add_summed(block, 0, trained_.front()[block].gradients.size());
  }
}

void ShardedModel::add_summed(std::size_t block, std::size_t begin, std::size_t end) {
  constexpr std::size_t kMessage = 1 << 17;  // floats; 4 ms over 1 Gbit/s
  const std::size_t most = ranks() > 1 ? kMessage : end;
  for (; begin < end; begin += most) parts_.push_back({block, begin, std::min(most, end - begin)});
}

void ShardedModel::place_rows(int count) {
  const int shards = options_.shards;
  for (int s = 0; s <= shards; ++s) places_[static_cast<std::size_t>(s)] = count * s / shards;
}

/// Gives all shards the weights and the state of the first.
void ShardedModel::copy_weights() {
  if (moving_.front().empty()) return;  // they share the weights
  for (std::size_t s = 1; s < own_.size(); ++s) {
    copy_values(states_.front(), states_[s]);
    for (std::size_t i = 0; i < trained_[s].size(); ++i) {
      std::ranges::copy(trained_.front()[i].weights, trained_[s][i].weights.begin());
    }
  }
}

/// Calls run(own shard) for each, on any free thread, and waits.
template <class Run>
void ShardedModel::run_shards(const Run& run) {
  std::vector<std::exception_ptr> errors(own_.size());
  parallel_for(own_.size(), 1, [&](std::size_t begin, std::size_t end) {
    run_as_one_thread([&] {
      for (std::size_t s = begin; s < end; ++s) {
        try {
          run(s);
        } catch (...) {
          errors[s] = std::current_exception();
        }
      }
    });
  });
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

/// Gives each rank the values of all rows.
template <class Value>
void ShardedModel::gather(std::vector<Value>& all) const {
  if (options_.ranks == nullptr) return;
  const std::size_t bytes_of_row =
      all.size() * sizeof(Value) / static_cast<std::size_t>(options_.batch);
  std::vector<std::size_t> places;
  for (std::size_t s = 0; s < places_.size(); s += own_.size()) {
    places.push_back(static_cast<std::size_t>(places_[s]) * bytes_of_row);
  }
  gather_from_ranks(*options_.ranks, std::as_writable_bytes(std::span(all)), places);
}

template <class Run>
std::span<const float> ShardedModel::pass(std::span<const float> images, int count,
                                          const Run& run) {
  require_batch(*this, images, count);
  place_rows(count);
  copy_weights();
  const std::size_t image = images.size() / static_cast<std::size_t>(count);
  const auto classes = static_cast<std::size_t>(outputs());
  run_shards([&](std::size_t s) {
    const auto [first_row, end] = rows_of(s);
    if (first_row == end) return;
    const auto row = static_cast<std::size_t>(first_row);
    const auto rows = static_cast<std::size_t>(end - first_row);
    CompiledModel& model = *own_[s].model;
    const auto answers = run(model, images.subspan(row * image, rows * image), first_row, end);
    std::ranges::copy(answers, outputs_.begin() + static_cast<std::ptrdiff_t>(row * classes));
    if (logits_.empty()) return;
    std::ranges::copy(model.logits(), logits_.begin() + static_cast<std::ptrdiff_t>(row * classes));
  });
  gather(outputs_);
  if (!logits_.empty()) gather(logits_);
  return std::span(outputs_).first(static_cast<std::size_t>(count) * classes);
}

std::span<const float> ShardedModel::predict(std::span<const float> images, int count) {
  if (options_.before_predict) options_.before_predict();
  return pass(images, count,
              [](CompiledModel& model, std::span<const float> own, int row, int end) {
                return model.predict(own, end - row);
              });
}

std::span<const float> ShardedModel::forward(std::span<const float> images, int count,
                                             const RandomKey& key) {
  if (!labels_.empty() && labels_.size() != static_cast<std::size_t>(count)) {
    throw user_error("model", "{} labels for {} images", labels_.size(), count);
  }
  const auto result =
      pass(images, count, [&](CompiledModel& model, std::span<const float> own, int row, int end) {
        RandomKey own_key = key;
        own_key.first_row += row;
        own_key.share *= static_cast<float>(end - row) / static_cast<float>(count);
        if (!labels_.empty()) {
          model.set_labels(
              labels_.subspan(static_cast<std::size_t>(row), static_cast<std::size_t>(end - row)));
        }
        return model.forward(own, end - row, own_key);
      });
  labels_ = {};
  average_state();
  return result;
}

std::span<const float> ShardedModel::logits() const {
  require_logits(*this, places_.back());
  return std::span(logits_).first(static_cast<std::size_t>(places_.back()) *
                                  static_cast<std::size_t>(outputs()));
}

void ShardedModel::backward(std::span<const float> gradient, GradientOf where) {
  require_gradient(*this, gradient, places_.back(), where);
  progress_.start(own_.size());
  std::size_t sent = 0;
  if (ranks() == 1) {
    compute_shards(gradient, where);
  } else {
    sent = compute_and_send(gradient, where);
  }
  for (; sent < parts_.size(); ++sent) send(parts_[sent]);
  const bool has_rows =
      std::ranges::any_of(parts_, [](const Part& part) { return part.floats > 0; });
  for (std::size_t rank = 0; has_rows && rank < ranks(); ++rank) compute_gathered_of(rank);
}

/// Computes the own shards, while a thread sends the parts that all of them have. Returns the
/// number of these.
std::size_t ShardedModel::compute_and_send(std::span<const float> gradient, GradientOf where) {
  std::size_t sent = 0;
  std::exception_ptr failed;
  {
    const std::jthread sender([&](const std::stop_token& stop) {
      run_as_one_thread([&] {
        try {
          Ranks::send_beside_computation();
          while (sent < parts_.size() && parts_[sent].block == 0 &&
                 progress_.wait_for(parts_[sent].begin, stop)) {
            send(parts_[sent++]);
          }
        } catch (...) {
          failed = std::current_exception();
        }
      });
    });
    compute_shards(gradient, where);
  }
  if (failed) std::rethrow_exception(failed);
  return sent;
}

void ShardedModel::compute_shards(std::span<const float> gradient, GradientOf where) {
  const auto classes = static_cast<std::size_t>(outputs());
  run_shards([&](std::size_t s) {
    const auto [row, end] = rows_of(s);
    if (row == end) {
      for (const Trained& block : trained_[s]) std::ranges::fill(block.gradients, 0.F);
      progress_.tell(s, 0);
      return;
    }
    for (Part& part : parts_) {
      if (part.floats == 0) continue;
      own_[s].model->main_network().give_rows(
          part.layer, part.rows.data() + static_cast<std::size_t>(row) * part.floats);
    }
    own_[s].model->backward(gradient.subspan(static_cast<std::size_t>(row) * classes,
                                             static_cast<std::size_t>(end - row) * classes),
                            where);
  });
}

std::vector<std::span<float>> ShardedModel::gradients_of(const Part& part) const {
  std::vector<std::span<float>> parts;
  for (const std::vector<Trained>& shard : trained_) {
    parts.push_back(shard[part.block].gradients.subspan(part.begin, part.size));
  }
  return parts;
}

/// Sends a part of this rank's shards to the others, and gets theirs.
void ShardedModel::send(Part& part) {
  if (part.floats > 0) return gather(part.rows);
  const auto parts = gradients_of(part);
  sum_in_tree(parts);
  if (options_.ranks != nullptr) sum_over_ranks(*options_.ranks, parts.front());
}

/// Computes the gradients of gathered layers of a rank's shards, in the networks of this rank's.
/// Adds them to those of the ranks before it in the order of sum_over_ranks().
void ShardedModel::compute_gathered_of(std::size_t rank) {
  run_shards([&](std::size_t s) {
    const std::size_t shard = rank * own_.size() + s;
    const auto row = static_cast<std::size_t>(places_[shard]);
    const int rows = places_[shard + 1] - places_[shard];
    for (const Part& part : parts_) {
      if (part.floats == 0) continue;
      if (rows == 0) {
        std::ranges::fill(gradients_of(part)[s], 0.F);
      } else {
        own_[s].model->main_network().take_rows(part.layer, rows,
                                                part.rows.data() + row * part.floats);
      }
    }
  });
  for (Part& part : parts_) {
    if (part.floats == 0) continue;
    const auto parts = gradients_of(part);
    sum_in_tree(parts);
    std::size_t round = 0;
    for (; (rank >> round) % 2 == 1; ++round) sum_in_tree({parts.front(), part.sums[round]});
    if (round < part.sums.size()) std::ranges::copy(parts.front(), part.sums[round].begin());
  }
}

/// Moving statistics become the mean over the shards. No backward pass reads them. A shard without
/// rows has the state before the pass. The number of shards is a power of two, so that values which
/// are alike in all stay.
void ShardedModel::average_state() {
  const float share = 1.F / static_cast<float>(options_.shards);
  for (std::size_t i = 0; i < moving_.front().size(); ++i) {
    std::vector<std::span<float>> parts;
    for (const auto& shard : moving_) parts.push_back(shard[i]);
    sum_in_tree(parts);
    if (options_.ranks != nullptr) sum_over_ranks(*options_.ranks, parts.front());
    for (float& value : parts.front()) value *= share;
  }
}

std::optional<Route> ShardedModel::route(int row) const {
  for (std::size_t s = 0; s < own_.size(); ++s) {
    const auto [first_row, end] = rows_of(s);
    if (row >= first_row && row < end) return own_[s].model->route(row - first_row);
  }
  throw user_error("model", "there is no row {} to tell the route of", row);
}

std::vector<ExpertShares> ShardedModel::expert_shares() const {
  std::vector<ExpertShares> layers = first().expert_shares();
  for (ExpertShares& layer : layers) {
    layer.shares.assign(static_cast<std::size_t>(options_.batch) * layer.experts.size(), 0);
  }
  for (std::size_t s = 0; s < own_.size(); ++s) {
    const auto [first_row, end] = rows_of(s);
    if (first_row == end) continue;
    const std::vector<ExpertShares> own = own_[s].model->expert_shares();
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const std::size_t place = static_cast<std::size_t>(first_row) * layers[l].experts.size();
      std::ranges::copy(own[l].shares,
                        layers[l].shares.begin() + static_cast<std::ptrdiff_t>(place));
    }
  }
  for (ExpertShares& layer : layers) {
    gather(layer.shares);
    layer.shares.resize(static_cast<std::size_t>(places_.back()) * layer.experts.size());
  }
  return layers;
}

std::string ShardedModel::first_not_finite() const {
  for (const Shard& shard : own_) {
    std::string found = shard.model->first_not_finite();
    if (!found.empty()) return found;
  }
  return {};
}

std::size_t ShardedModel::memory_bytes() const {
  std::size_t bytes = 0;
  for (const Part& part : parts_) {
    bytes += sizeof(float) * (part.rows.size() + part.sums.size() * part.size);
  }
  for (std::size_t s = 0; s < own_.size(); ++s) {
    bytes += own_[s].model->memory_bytes();
    if (!own_[s].weights) continue;
    for (const Trained& block : trained_[s]) bytes += block.weights.size_bytes();
    for (const std::span<float> block : states_[s]) bytes += block.size_bytes();
  }
  return bytes;
}

void ShardedModel::start_profile() {
  for (const Shard& shard : own_) shard.model->start_profile();
}

/// Shards run side by side: the time of a layer is that of all, divided by the threads that ran.
std::vector<LayerProfile> ShardedModel::profile() const {
  const double threads = std::min<double>(thread_count(), static_cast<double>(own_.size()));
  std::vector<LayerProfile> all = first().profile();
  for (std::size_t l = 0; l < all.size(); ++l) {
    for (std::size_t s = 1; s < own_.size(); ++s) {
      const LayerProfile layer = own_[s].model->profile()[l];
      all[l].forward_images += layer.forward_images;
      all[l].backward_images += layer.backward_images;
      all[l].forward_seconds += layer.forward_seconds;
      all[l].weights_seconds += layer.weights_seconds;
      all[l].data_seconds += layer.data_seconds;
    }
    all[l].forward_seconds /= threads;
    all[l].weights_seconds /= threads;
    all[l].data_seconds /= threads;
  }
  return all;
}

}  // namespace sluice

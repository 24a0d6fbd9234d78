#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/operation.h"
#include "onednn/tensor.h"
#include "ops/op.h"
#include "sluice/network.h"

namespace sluice {

class Network;

/// The weights of a network inside a block of values.
struct PlacedWeights {
  std::vector<Weights::Tensor> tensors;  ///< layer after layer, with their places in the block
  std::span<const float> values;         ///< the block
  std::span<float> gradients;            ///< of its trained part; empty without training
};

struct ExpertsOptions {
  bool training;
  bool diff_input;  ///< the backward pass also computes the gradient of the source
  Compute compute;
  int usual_images;  ///< that an expert takes of a batch
};

/// The networks of a layer of experts. Each takes any number of a batch's images.
class Experts {
 public:
  /// `source` has the largest batch, in the layout of all batches. Throws Error as Network does.
  Experts(const std::vector<Sequential>& experts, const PlacedWeights& weights,
          const ExpertsOptions& options, const dnnl::memory& source);
  ~Experts();

  /// Runs an expert in a pass for its rows of `source`, in order, and returns (rows, output).
  std::span<const float> forward(std::size_t expert, const dnnl::memory& source,
                                 const ops::Pass& pass);
  /// After an expert's backward pass, adds the gradient of its input to that of its rows.
  void add_diff_input(std::size_t expert, const dnnl::memory& diff_source);

  /// The rows of a batch that an expert takes, in order; of the last pass until the next one.
  std::vector<int>& rows(std::size_t expert) { return rows_[expert]; }
  const std::vector<int>& rows(std::size_t expert) const { return rows_[expert]; }
  void clear_rows();

  std::size_t count() const { return networks_.size(); }
  Network& operator[](std::size_t expert) { return *networks_[expert]; }
  const std::string& name(std::size_t expert) const { return names_[expert]; }

  /// Describes the output of a batch.
  dnnl::memory::desc output_desc(int batch) const;
  std::size_t bytes() const;

 private:
  /// Returns whether all networks have outputs of one layout.
  bool compile(const std::vector<Sequential>& experts, const PlacedWeights& weights,
               const ExpertsOptions& options, const dnnl::memory& source, bool plain_output);

  onednn::Context context_;  ///< of its own: the network around it keeps values in passing memory
  std::vector<std::unique_ptr<Network>> networks_;
  std::vector<std::string> names_;
  std::vector<std::vector<int>> rows_;  ///< by expert
  Shape output_;
  onednn::Tag output_layout_ = onednn::Tag::nc;
};

}  // namespace sluice

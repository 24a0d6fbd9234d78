#pragma once

#include <vector>

#include "ops/op.h"
#include "ops/relu.h"

namespace sluice::ops {

/// An operation on several values. Sources whose layout is not that of the first are brought into
/// it, and their gradients back.
class Merge : public Op {
 public:
  Merge(const std::vector<dnnl::memory>& sources, const dnnl::memory& dst)
      : Op(sources[0], dst), sources_(sources) {}

  std::vector<dnnl::memory> plan_backward_of_all(Plan& plan, const dnnl::memory& diff_dst,
                                                 const std::vector<bool>& wanted) override;
  void forward(onednn::Context& context, const Pass& pass) override;
  void backward_data(onednn::Context& context) override;

 protected:
  /// Plans that every source is brought into a layout.
  void bring_into(Plan& plan, onednn::Tag tag);

  virtual void merge() = 0;
  /// Writes diffs_, those that are wanted.
  virtual void divide() = 0;

  std::vector<dnnl::memory> sources_;  ///< as they come
  std::vector<dnnl::memory> inputs_;   ///< in the common layout
  std::vector<float*> diffs_;          ///< in the common layout; null where none is wanted
  float* diff_dst_ = nullptr;

 private:
  std::vector<onednn::Step> before_;
  std::vector<onednn::Step> after_;
};

/// dst = the sum of the sources, all of one shape, then ReLU.
class Add : public Merge {
 public:
  Add(Plan& plan, const std::vector<dnnl::memory>& sources, const FusedRelu& relu);

  bool reads_its_result() const override { return relu_.has_max_value(); }

 private:
  void merge() override;
  void divide() override;

  FusedRelu relu_;
};

/// dst = the product of the sources, all of one shape.
class Multiply : public Merge {
 public:
  Multiply(Plan& plan, const std::vector<dnnl::memory>& sources);

 private:
  void merge() override;
  void divide() override;
};

/// Channels one after another: sources (N, C_i, H, W) or (N, C_i), dst with the sum of the C_i.
class Concatenate : public Merge {
 public:
  Concatenate(Plan& plan, const std::vector<dnnl::memory>& sources);

 private:
  void merge() override;
  void divide() override;

  std::size_t rows_ = 0;             ///< each has a part of every source
  std::vector<std::size_t> widths_;  ///< floats of those parts
  std::size_t width_ = 0;            ///< their sum
};

}  // namespace sluice::ops

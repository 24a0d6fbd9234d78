#pragma once

#include <algorithm>
#include <cstddef>
#include <dnnl.hpp>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "base/workspace.h"

namespace sluice::onednn {

/// oneDNN's engine and stream. Everything compiled with a context refers to it. Only one thread at
/// a time may use it, in a ThreadTeam of threads().
class Context {
 public:
  Context()
      : threads_(settle_thread_count()), engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// Number of threads for which its primitives divide their work.
  int threads() const { return threads_; }
  const dnnl::engine& engine() const { return engine_; }
  dnnl::stream& stream() { return stream_; }

  /// Temporary memory of the running operation, as large as the largest reservation.
  float* scratch() const { return scratch_; }
  void reserve_scratch(std::size_t bytes) {
    if (bytes <= scratch_bytes_) return;
    scratch_memory_ = Workspace();
    scratch_ = scratch_memory_.take(bytes);
    scratch_bytes_ = bytes;
  }

  /// Memory for a result that no backward pass will read again, and that is overwritten by what
  /// takes it after it was released: by the same network, or any other of the context.
  dnnl::memory take_passing(const dnnl::memory::desc& desc) {
    const auto free = std::find(passing_busy_.begin(), passing_busy_.end(), nullptr);
    const auto slot = static_cast<std::size_t>(free - passing_busy_.begin());
    if (free == passing_busy_.end()) {
      passing_busy_.push_back(nullptr);
      passing_.emplace_back();
    }
    passing_[slot].rewind();
    passing_busy_[slot] = passing_[slot].take(desc.get_size());
    return {desc, engine_, passing_busy_[slot]};
  }
  void release_passing(const float* memory) {
    const auto slot = std::find(passing_busy_.begin(), passing_busy_.end(), memory);
    if (slot != passing_busy_.end()) *slot = nullptr;
  }
  /// Before a network is planned: nothing of what was planned before it is read again.
  void release_all_passing() { std::fill(passing_busy_.begin(), passing_busy_.end(), nullptr); }

  /// Size of the memory that its networks share.
  std::size_t bytes() const {
    std::size_t bytes = scratch_memory_.bytes();
    for (const Workspace& each : passing_) bytes += each.bytes();
    return bytes;
  }

  /// Number of steps created. A test checks that a training loop creates none.
  std::size_t steps_made() const { return steps_made_; }

 private:
  friend class Step;

  int threads_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  Workspace scratch_memory_;
  float* scratch_ = nullptr;
  std::size_t scratch_bytes_ = 0;
  std::vector<Workspace> passing_;
  std::vector<float*> passing_busy_;  ///< the memory in use of each; null where none is
  std::size_t steps_made_ = 0;
};

/// A primitive with bound arguments, ready to execute.
class Step {
 public:
  Step() = default;
  Step(Context& context, dnnl::primitive primitive, std::unordered_map<int, dnnl::memory> arguments)
      : primitive_(std::move(primitive)), arguments_(std::move(arguments)) {
    ++context.steps_made_;
  }

  /// Does nothing if the step is empty, such as a reorder between equal layouts.
  void run(Context& context) const {
    if (primitive_) primitive_.execute(context.stream(), arguments_);
  }

 private:
  dnnl::primitive primitive_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

}  // namespace sluice::onednn

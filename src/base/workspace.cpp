#include "base/workspace.h"

#include <cstring>
#include <new>

#include "base/machine.h"

namespace sluice {

float* Workspace::take(std::size_t bytes) {
  constexpr std::size_t kAlignment = 64;
  if (next_ == slots_.size()) slots_.emplace_back();
  std::vector<Slot>& candidates = slots_[next_++];
  for (const Slot& slot : candidates) {
    if (slot.bytes >= bytes) return slot.memory.get();
  }
  const std::size_t rounded = (bytes / kAlignment + 1) * kAlignment;
  require_memory(rounded, "give a smaller batch (train.batch_size)");
  auto* memory = static_cast<float*>(std::aligned_alloc(kAlignment, rounded));
  if (memory == nullptr) throw std::bad_alloc();
  std::memset(memory, 0, rounded);
  candidates.push_back({std::unique_ptr<float, Free>(memory), rounded});
  return memory;
}

std::size_t Workspace::bytes() const {
  std::size_t bytes = 0;
  for (const std::vector<Slot>& candidates : slots_) {
    for (const Slot& slot : candidates) bytes += slot.bytes;
  }
  return bytes;
}

}  // namespace sluice

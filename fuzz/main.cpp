// Entry points of libFuzzer, for the target SLUICE_FUZZ_TARGET.

#include <sanitizer/allocator_interface.h>

#include "base/parallel.h"
#include "fuzz/targets.h"

namespace {

void allocated(const volatile void*, std::size_t bytes) {
  sluice::fuzz::AllocationBound::count(static_cast<std::int64_t>(bytes));
}

void freed(const volatile void* memory) {
  const auto bytes = __sanitizer_get_allocated_size(const_cast<const void*>(memory));
  sluice::fuzz::AllocationBound::count(-static_cast<std::int64_t>(bytes));
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  // OpenMP's own memory would count as the first reader's that runs in parallel.
  sluice::parallel_for(1, 1, [](std::size_t, std::size_t) {});
  return __sanitizer_install_malloc_and_free_hooks(allocated, freed) > 0 ? 0 : 1;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sluice::fuzz::SLUICE_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}

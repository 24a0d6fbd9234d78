#include "data/arrays/cifar_arrays.h"
#include "fuzz/targets.h"

namespace sluice::fuzz {

bool pickle(std::string_view bytes) {
  constexpr std::size_t kBytesPerByte = 512;  // a value of a list for a byte, in growing vectors
  const auto images = read_or_refuse("the pickle", kBytesPerByte * bytes.size() + (1 << 20), [&] {
    LabelledImages batch;
    add_python_batch(bytes, "the pickle", 10, batch);
    return batch;
  });
  if (!images) return false;
  require(images->pixels.size() == images->size() * 3072, "pixels without a label");
  for (const int label : images->labels) require(label >= 0 && label < 10, "no such class");
  return true;
}

}  // namespace sluice::fuzz

#include "data/arrays/npy.h"

#include "fuzz/targets.h"

namespace sluice::fuzz {

bool npy(std::string_view bytes) {
  const auto read = read_or_refuse("the array", 16 * bytes.size() + (1 << 20), [&] {
    const NpyArray array = parse_npy(bytes, "the array");
    if (array.shape.size() < 3) return labels_of(array).size();
    const LabelledImages images = images_of(array, range_of(array));
    const auto size = static_cast<std::size_t>(element_count(images.shape));
    require(images.pixels.size() % size == 0, "part of an image");
    return images.pixels.size();
  });
  return read.has_value();
}

}  // namespace sluice::fuzz

#include "data/csv_files.h"

#include "fuzz/memory_file.h"
#include "fuzz/targets.h"

namespace sluice::fuzz {

bool csv(std::string_view bytes) {
  constexpr std::size_t kBytesPerByte = 512;  // rows, cells and paths of a byte
  const MemoryFile file(bytes);
  const auto listing = read_or_refuse(file.path(), kBytesPerByte * bytes.size() + (1 << 20),
                                      [&] { return list_csv(file.path(), {}); });
  if (!listing) return false;
  const auto classes = static_cast<int>(listing->class_names.size());
  for (const auto* half : {&listing->train, &listing->validation, &listing->test}) {
    for (const ImageFile& image : *half) {
      require(image.label >= 0 && image.label < classes, "no such class");
    }
  }
  return true;
}

}  // namespace sluice::fuzz

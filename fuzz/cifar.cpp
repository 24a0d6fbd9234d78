#include "data/cifar.h"

#include "fuzz/memory_file.h"
#include "fuzz/targets.h"

namespace sluice::fuzz {
namespace {

constexpr std::size_t kBytesPerByte = 4;  // the file's bytes, and the images
constexpr std::size_t kConstant = 65'536;

}  // namespace

bool cifar(std::string_view bytes) {
  const MemoryFile file(bytes);
  const auto images = read_or_refuse(file.path(), kBytesPerByte * bytes.size() + kConstant, [&] {
    return read_cifar_files({file.path()}, 0, "data.train_images");
  });
  if (!images) return false;
  require(images->pixels.size() == images->size() * 3072, "pixels without a label");
  for (const int label : images->labels) require(label >= 0 && label < 10, "no such class");
  return true;
}

}  // namespace sluice::fuzz

#include "data/image_digest.h"

namespace sluice {

namespace {

template <class Value>
std::string_view raw_bytes(const std::vector<Value>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value)};
}

}  // namespace

void add_images(const LabelledImages& images, Digest& digest) {
  for (std::size_t row = 0; row < images.size(); ++row) {
    const PixelView pixels = images.image(row);
    digest.add({reinterpret_cast<const char*>(&*pixels.begin()), pixels.size()});
  }
  digest.add(raw_bytes(images.labels));
}

std::string sha256_of(const LabelledImages& images) {
  Digest digest(Digest::Kind::sha256);
  add_images(images, digest);
  return digest.digits();
}

}  // namespace sluice

#include "data/image_digest.h"

#include "base/digest.h"

namespace sluice {

namespace {

std::string_view raw_bytes(const std::vector<int>& labels) {
  return {reinterpret_cast<const char*>(labels.data()), labels.size() * sizeof(int)};
}

/// Returns the digest of one half, and adds its images to that of all.
std::string digest_of(const LabelledImages& images, Digest& all) {
  Digest own(Digest::Kind::sha256);
  const auto add = [&](std::string_view bytes) {
    own.add(bytes);
    all.add(bytes);
  };
  for (std::size_t row = 0; row < images.size(); ++row) {
    const PixelView pixels = images.image(row);
    add({reinterpret_cast<const char*>(&*pixels.begin()), pixels.size()});
  }
  add(raw_bytes(images.labels));
  return own.digits();
}

}  // namespace

ImageDigests digests_of(const Dataset& data) {
  Digest all(Digest::Kind::sha256);
  ImageDigests digests;
  digests.train = digest_of(data.train, all);
  digests.test = digest_of(data.test, all);
  digests.validation = digest_of(data.validation, all);
  digests.all = all.digits();
  return digests;
}

}  // namespace sluice

#include "onednn/planes.h"

#include "base/fail.h"

namespace sluice::onednn {

namespace {

Tag tag_of(const dnnl::memory& tensor) {
  const auto dims = dims_of(tensor);
  if (dims.size() == 2) return Tag::nc;
  // With one channel or one pixel, several of these layouts are identical.
  for (const Tag tag : {Tag::nhwc, Tag::nChw16c, Tag::nChw8c, Tag::nchw}) {
    if (tensor.get_desc() == layout(dims, tag)) return tag;
  }
  throw machine_error("onednn", "chose an unknown layout of activations");
}

}  // namespace

Planes::Planes(const dnnl::memory& tensor) : tag(tag_of(tensor)) {
  const auto dims = dims_of(tensor);
  images = static_cast<std::size_t>(dims[0]);
  channels = static_cast<std::size_t>(dims[1]);
  height = dims.size() == 4 ? static_cast<std::size_t>(dims[2]) : 1;
  width = dims.size() == 4 ? static_cast<std::size_t>(dims[3]) : 1;
  lanes = tag == Tag::nChw16c ? 16 : tag == Tag::nChw8c ? 8 : tag == Tag::nchw ? 1 : channels;
  blocks = (channels + lanes - 1) / lanes;
}

}  // namespace sluice::onednn

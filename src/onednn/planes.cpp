#include "onednn/planes.h"

#include "base/fail.h"

namespace sluice::onednn {

namespace {

Tag tag_of(const dnnl::memory& tensor) {
  const auto dims = dims_of(tensor);
  if (dims.size() == 2) return Tag::nc;
  // A single channel or pixel has several of these layouts at once, all of the same meaning.
  for (const Tag tag : {Tag::nhwc, Tag::nChw16c, Tag::nChw8c, Tag::nchw}) {
    if (tensor.get_desc() == layout(dims, tag)) return tag;
  }
  throw machine_error("onednn", "chose a layout of activations that sluice does not know");
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

#pragma once

#include "onednn/tensor.h"

namespace sluice::ops {

/// Whether split_channels() brings one layout into the other: NHWC of up to 4 channels, and NCHW.
bool splits_channels(const dnnl::memory& src, const dnnl::memory& dst);

/// Copies images from NHWC to NCHW. oneDNN's reorder takes three times as long for images of few
/// channels.
void split_channels(const dnnl::memory& src, const dnnl::memory& dst);

}  // namespace sluice::ops

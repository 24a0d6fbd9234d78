#include "onednn/version.h"

#include <fmt/format.h>

#include <dnnl.hpp>

namespace sluice {

std::string onednn_version() {
  const dnnl_version_t* version = dnnl_version();
  return fmt::format("{}.{}.{}", version->major, version->minor, version->patch);
}

}  // namespace sluice

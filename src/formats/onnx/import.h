#pragma once

#include <string>
#include <string_view>

#include "sluice/exchange.h"

namespace sluice {

/// import_onnx() of a file's bytes; messages start with `place`.
SavedModel import_onnx(std::string_view bytes, const OnnxOptions& options,
                       const std::string& place);

}  // namespace sluice

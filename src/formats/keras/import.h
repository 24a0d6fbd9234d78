#pragma once

#include "formats/keras/container.h"
#include "sluice/exchange.h"

namespace sluice {

/// The public import_keras(), once the file is read.
AnyModel import_keras(const KerasFile& file, const KerasOptions& options);

}  // namespace sluice

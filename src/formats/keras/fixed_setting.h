#pragma once

#include <nlohmann/json.hpp>

#include "graph/layer_types.h"

namespace sluice {

/// A setting as Keras's configurations have it.
template <class Json>
Json to_json(const FixedSetting& setting) {
  return std::visit([](const auto& value) { return Json(value); }, setting);
}

}  // namespace sluice

#pragma once

#include <cstdint>
#include <span>

#include "data/builtin_figures.h"

namespace sluice {

/// Draws one picture: background, clutter, figure, objects in front of it, and the effects of a
/// cheap camera. `bytes` is (32, 32, 3).
void draw_scene(const Figure& figure, Dice& dice, std::span<std::uint8_t> bytes);

}  // namespace sluice

#pragma once

#include <cstdint>
#include <span>

#include "data/builtin_figures.h"

namespace sluice {

/// Draws one picture: a place, clutter, the figure, what stands before it, and what a cheap camera
/// does to all that. `bytes` is (32, 32, 3).
void draw_scene(const Figure& figure, Dice& dice, std::span<std::uint8_t> bytes);

}  // namespace sluice

#pragma once

#include <array>

#include "data/drawing.h"

namespace sluice {

/// Backgrounds. Each class has typical ones, but any picture can have any background.
enum class Place { sky, meadow, road, water, wall, forest };
constexpr int kPlaces = 6;

/// One class of the built-in images. A figure is drawn in -1 to 1, y down, facing right.
struct Figure {
  const char* name;
  void (*draw)(Pencil& pencil, Dice& dice);
  float tilt;  ///< largest rotation to either side, in radians
  std::array<Place, 2> places;
};

/// Figures in the order of CIFAR-10's labels.
extern const std::array<Figure, 10> kFigures;

// Shared by the files of figures.
constexpr Color kInk{0.08f, 0.07f, 0.07f};
constexpr Color kGlass{0.30f, 0.42f, 0.52f};
constexpr Color kMetal{0.70f, 0.71f, 0.73f};
constexpr std::array<Color, 8> kPaint{{{0.75f, 0.12f, 0.12f},
                                       {0.14f, 0.25f, 0.62f},
                                       {0.90f, 0.90f, 0.88f},
                                       {0.16f, 0.16f, 0.18f},
                                       {0.62f, 0.64f, 0.66f},
                                       {0.90f, 0.72f, 0.15f},
                                       {0.12f, 0.42f, 0.26f},
                                       {0.85f, 0.45f, 0.12f}}};
/// Returns one of `own`, or sometimes a colour that every animal can have.
Color animal_coat(std::span<const Color> own, Dice& dice);
/// Returns the point at `length` from `from`; the angle starts at the right and turns upwards.
Point step_from(Point from, float length, float angle);

void draw_airplane(Pencil& pencil, Dice& dice);
void draw_automobile(Pencil& pencil, Dice& dice);
void draw_bird(Pencil& pencil, Dice& dice);
void draw_cat(Pencil& pencil, Dice& dice);
void draw_deer(Pencil& pencil, Dice& dice);
void draw_dog(Pencil& pencil, Dice& dice);
void draw_frog(Pencil& pencil, Dice& dice);
void draw_horse(Pencil& pencil, Dice& dice);
void draw_ship(Pencil& pencil, Dice& dice);
void draw_truck(Pencil& pencil, Dice& dice);

}  // namespace sluice

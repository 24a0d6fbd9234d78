#include <cmath>

#include "data/builtin_figures.h"

namespace sluice {
namespace {

constexpr float kFlying = 0.3f;   // flying birds, which look like airplanes
constexpr float kFrontal = 0.4f;  // frogs seen from the front

// Colours of fur, feathers and skin that every animal can have, and their share.
constexpr float kBorrowedCoats = 0.3f;
constexpr std::array<Color, 6> kAnyCoat{{{.42f, .30f, .20f},
                                         {.55f, .42f, .30f},
                                         {.20f, .17f, .15f},
                                         {.62f, .58f, .52f},
                                         {.72f, .60f, .44f},
                                         {.36f, .33f, .30f}}};

}  // namespace

Color animal_coat(std::span<const Color> own, Dice& dice) {
  const Color color =
      dice.one_of(dice.chance(kBorrowedCoats) ? std::span<const Color>(kAnyCoat) : own);
  return dice.near(color, 0.25f);
}

Point step_from(Point from, float length, float angle) {
  return {from.x + length * std::cos(angle), from.y - length * std::sin(angle)};
}

void draw_bird(Pencil& pencil, Dice& dice) {
  constexpr std::array<Color, 7> kPlumage{{{.72f, .22f, .16f},
                                           {.22f, .36f, .66f},
                                           {.82f, .68f, .22f},
                                           {.16f, .15f, .16f},
                                           {.52f, .40f, .28f},
                                           {.88f, .87f, .84f},
                                           {.40f, .46f, .34f}}};
  constexpr Color kBeak{0.90f, 0.60f, 0.15f};
  pencil.set_surface(0.35f, 0.12f);
  const Color main = animal_coat(kPlumage, dice);
  const Color below = dice.chance(0.5f) ? Color{0.92f, 0.88f, 0.8f} : Color{0.8f, 0.5f, 0.3f};
  const Color belly = mix(main, below, dice.between(0.2f, 0.9f));
  const Color wing = main * dice.between(0.5f, 0.85f);
  const Color beak = dice.near(dice.chance(0.6f) ? kBeak : Color{0.25f, 0.23f, 0.22f}, 0.2f);
  const float head_size = dice.between(0.17f, 0.24f);
  if (dice.chance(kFlying)) {
    const float flap = dice.between(-0.5f, 0.9f);
    const float sweep = dice.around(-0.2f, 0.3f);
    pencil.polygon({{0.3f, -0.05f},
                    {0.2f + sweep, -0.4f - 0.5f * flap},
                    {-0.2f + sweep, -0.3f - 0.4f * flap},
                    {-0.2f, 0}},
                   wing * 0.8f, 0.05f);
    pencil.polygon({{-0.4f, 0}, {-0.95f, -0.16f}, {-1, 0.02f}, {-0.95f, 0.14f}}, wing, 0.02f);
    pencil.ellipse({0, 0.02f}, {0.5f, 0.19f}, 0, main);
    pencil.ellipse({0.05f, 0.1f}, {0.4f, 0.1f}, 0, belly);
    pencil.polygon({{0.3f, 0},
                    {0.1f + sweep, 0.7f * flap},
                    {-0.15f + sweep, 0.85f * flap},
                    {-0.4f + sweep, 0.6f * flap},
                    {-0.25f, 0.04f}},
                   wing, 0.05f);
    pencil.polygon({{0.66f, -0.18f}, {0.94f, -0.06f}, {0.66f, -0.02f}}, beak);
    pencil.circle({0.55f, -0.1f}, head_size * 0.85f, main);
    pencil.circle({0.6f, -0.14f}, 0.04f, kInk);
    return;
  }
  const float slant = dice.between(-0.7f, -0.15f);  // slant of the body, bill up
  const float plump = dice.between(0.26f, 0.38f);
  const float legs = dice.between(0.2f, 0.5f);
  const Point breast{0.3f * std::cos(slant), 0.3f * std::sin(slant)};
  const Point tail = step_from({0, 0}, dice.between(0.85f, 1.05f), 3.1416f - slant);
  for (const float x : {-0.08f, 0.1f})
    pencil.capsule({x, plump * 0.7f}, {x + 0.03f, plump * 0.8f + legs}, 0.03f, beak * 0.7f);
  pencil.polygon(
      {{-0.2f, -0.1f}, {-0.2f, 0.15f}, {tail.x, tail.y + 0.1f}, {tail.x - 0.03f, tail.y - 0.06f}},
      wing, 0.02f);
  pencil.ellipse({0, 0}, {0.5f, plump}, slant, main);
  pencil.ellipse({0.12f, plump * 0.35f}, {0.32f, plump * 0.6f}, slant, belly);
  pencil.ellipse({-0.15f, 0.02f}, {0.36f, plump * 0.5f}, slant + 0.1f, wing);
  const Point head{breast.x + 0.18f, breast.y - plump * 0.75f};
  const float bill = dice.between(0.15f, 0.35f);
  pencil.polygon({{head.x + head_size * 0.6f, head.y - 0.09f},
                  {head.x + head_size + bill, head.y + 0.04f},
                  {head.x + head_size * 0.6f, head.y + 0.1f}},
                 beak);
  pencil.circle(head, head_size, main);
  pencil.circle({head.x + 0.07f, head.y - 0.04f}, 0.045f, kInk);
}

void draw_frog(Pencil& pencil, Dice& dice) {
  constexpr std::array<Color, 5> kSkin{{{.34f, .56f, .20f},
                                        {.26f, .44f, .18f},
                                        {.46f, .42f, .24f},
                                        {.56f, .60f, .24f},
                                        {.42f, .34f, .24f}}};
  pencil.set_surface(0.45f, 0.12f);
  const Color main = animal_coat(kSkin, dice);
  const Color belly = mix(main, {0.88f, 0.86f, 0.66f}, dice.between(0.3f, 0.8f));
  const Color shade = main * 0.75f;
  const bool spots = dice.chance(0.5f);
  const float fat = dice.around(1, 0.18f);
  if (dice.chance(kFrontal)) {  // legs to both sides
    for (const float side : {-1.0f, 1.0f}) {
      const float knee = dice.between(0.65f, 0.9f);
      pencil.capsule({side * 0.3f, 0.4f}, {side * knee, 0.1f}, 0.15f, 0.11f, shade);
      pencil.capsule({side * knee, 0.1f}, {side * 0.7f, 0.68f}, 0.1f, 0.06f, main);
      pencil.capsule({side * 0.35f, 0}, {side * 0.55f, 0.62f}, 0.09f, 0.06f, main);
    }
    pencil.ellipse({0, 0.25f}, {0.48f * fat, 0.42f}, 0, main);
    pencil.ellipse({0, 0.36f}, {0.32f * fat, 0.26f}, 0, belly);
    pencil.ellipse({0, -0.2f}, {0.46f * fat, 0.3f}, 0, main);
    pencil.capsule({-0.3f * fat, -0.12f}, {0.3f * fat, -0.12f}, 0.025f, kInk);
    for (const float side : {-1.0f, 1.0f}) {
      pencil.circle({side * 0.3f * fat, -0.46f}, 0.15f, shade);
      pencil.circle({side * 0.3f * fat, -0.47f}, 0.1f, {0.85f, 0.75f, 0.3f});
      pencil.circle({side * 0.3f * fat, -0.47f}, 0.06f, kInk);
    }
    return;
  }
  const float slant = dice.between(-0.6f, -0.3f);
  pencil.ellipse({-0.1f, 0.12f}, {0.62f, 0.36f * fat}, slant, main);
  pencil.ellipse({0.1f, 0.26f}, {0.42f, 0.22f * fat}, slant, belly);
  pencil.ellipse({0.42f, -0.18f}, {0.36f, 0.24f * fat}, 0.1f, main);
  pencil.capsule({0.45f, -0.1f}, {0.76f, -0.12f}, 0.02f, kInk);
  pencil.circle({0.4f, -0.4f}, 0.14f, shade);
  pencil.circle({0.43f, -0.4f}, 0.085f, {0.85f, 0.75f, 0.3f});
  pencil.circle({0.44f, -0.4f}, 0.05f, kInk);
  for (int i = 0; spots && i < 4; ++i)
    pencil.circle({-0.4f + 0.18f * i, i % 2 ? 0.02f : -0.1f}, 0.06f, shade * 0.7f);
  pencil.capsule({-0.45f, 0.35f}, {0.1f, 0.2f}, 0.2f, 0.13f, shade);    // thigh
  pencil.capsule({0.1f, 0.2f}, {-0.35f, 0.6f}, 0.1f, 0.07f, shade);     // shin
  pencil.capsule({-0.35f, 0.62f}, {0.05f, 0.64f}, 0.06f, 0.04f, main);  // foot
  pencil.capsule({0.36f, 0.1f}, {0.45f, 0.6f}, 0.09f, 0.05f, main);     // arm
  pencil.capsule({0.45f, 0.62f}, {0.65f, 0.62f}, 0.05f, 0.03f, main);
}

}  // namespace sluice

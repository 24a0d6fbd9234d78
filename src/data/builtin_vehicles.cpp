#include "data/builtin_figures.h"

namespace sluice {
namespace {

// Shares of cars and trucks that look alike: cars with a high, upright back, and trucks on a car's
// frame.
constexpr float kVans = 0.35f;
constexpr float kPickups = 0.35f;
constexpr float kFrontViews = 0.3f;

void draw_wheel(Pencil& pencil, float x, float y, float radius) {
  pencil.circle({x, y}, radius, kInk);
  pencil.circle({x, y}, radius * 0.5f, kMetal);
}

// Draws the view from the front or behind: cars and trucks differ in height and windscreen.
void draw_front(Pencil& pencil, Dice& dice, Color paint, float width, float top, float bonnet) {
  const float bottom = dice.around(0.55f, 0.08f);
  const float slope = dice.between(0.06f, 0.16f);
  const bool rear = dice.chance(0.4f);
  pencil.box({-width * 0.9f, bottom - 0.1f}, {-width * 0.55f, bottom + 0.16f}, kInk, 0.02f);
  pencil.box({width * 0.55f, bottom - 0.1f}, {width * 0.9f, bottom + 0.16f}, kInk, 0.02f);
  pencil.polygon({{-width + slope, top}, {width - slope, top}, {width, bonnet}, {-width, bonnet}},
                 paint, 0.04f);
  pencil.polygon({{-width + slope + 0.08f, top + 0.06f},
                  {width - slope - 0.08f, top + 0.06f},
                  {width - 0.1f, bonnet - 0.02f},
                  {-width + 0.1f, bonnet - 0.02f}},
                 kGlass);
  pencil.box({-width, bonnet}, {width, bottom}, paint * 0.9f, 0.04f);
  const Color lamp = rear ? Color{0.85f, 0.1f, 0.1f} : Color{1, 0.95f, 0.75f};
  pencil.circle({-width * 0.75f, bonnet + 0.16f}, 0.1f, lamp);
  pencil.circle({width * 0.75f, bonnet + 0.16f}, 0.1f, lamp);
  pencil.box({-width * 0.35f, bonnet + 0.12f}, {width * 0.35f, bonnet + 0.26f}, kInk);
}

void draw_pickup(Pencil& pencil, Dice& dice, Color paint) {
  const float waist = dice.around(-0.02f, 0.05f);
  const float sill = dice.around(0.36f, 0.04f);
  const float roof = dice.between(-0.5f, -0.35f);
  const float back = dice.between(-0.25f, 0.05f);  // back of the cab
  const float front = back + dice.between(0.45f, 0.6f);
  if (dice.chance(0.5f)) {
    pencil.ellipse({-0.5f, waist}, {0.35f, 0.2f}, 0, dice.near({0.45f, 0.35f, 0.22f}, 0.3f));
  }
  pencil.polygon({{back, waist}, {back, roof}, {front - 0.15f, roof}, {front, waist}}, paint,
                 0.04f);
  pencil.polygon({{back + 0.07f, waist - 0.02f},
                  {back + 0.07f, roof + 0.06f},
                  {front - 0.19f, roof + 0.06f},
                  {front - 0.08f, waist - 0.02f}},
                 kGlass);
  pencil.box({-0.95f, waist + 0.02f}, {0.92f, sill}, paint, 0.04f);
  draw_wheel(pencil, -0.58f, sill + 0.04f, 0.21f);
  draw_wheel(pencil, 0.58f, sill + 0.04f, 0.21f);
}

}  // namespace

void draw_automobile(Pencil& pencil, Dice& dice) {
  pencil.set_surface(0.3f, 0);
  const Color paint = dice.near(dice.one_of(kPaint), 0.25f);
  const bool van = dice.chance(kVans);
  const float roof = dice.between(-0.5f, -0.28f) - (van ? 0.12f : 0);
  if (dice.chance(kFrontViews)) {
    const float width = dice.between(0.6f, 0.75f);
    draw_front(pencil, dice, paint, width, roof, dice.around(0.08f, 0.06f));
    return;
  }
  const float waist = dice.around(0, 0.05f);
  const float sill = dice.around(0.36f, 0.05f);
  const float front = dice.between(0.25f, 0.5f);  // where the windscreen meets the bonnet
  const float rear = van ? -0.92f : dice.between(-0.85f, -0.5f);
  const float slope = dice.between(0.12f, 0.32f) * (van ? 0.4f : 1.0f);
  pencil.polygon(
      {{rear, waist}, {rear + slope * 0.7f, roof}, {front - slope, roof}, {front, waist}}, paint,
      0.04f);
  pencil.polygon({{rear + 0.1f, waist - 0.02f},
                  {rear + slope * 0.7f + 0.05f, roof + 0.06f},
                  {front - slope - 0.05f, roof + 0.06f},
                  {front - 0.1f, waist - 0.02f}},
                 kGlass);
  pencil.box({(rear + front) / 2 - 0.03f, roof}, {(rear + front) / 2 + 0.03f, waist}, paint);
  pencil.polygon({{-0.95f, waist + 0.04f},
                  {front, waist},
                  {0.9f, waist + 0.12f},
                  {0.95f, sill},
                  {-0.95f, sill}},
                 paint, 0.05f);
  const float radius = dice.around(0.2f, 0.03f);
  draw_wheel(pencil, -0.58f, sill + 0.03f, radius);
  draw_wheel(pencil, 0.58f, sill + 0.03f, radius);
  pencil.circle({0.93f, waist + 0.18f}, 0.06f, {1, 0.95f, 0.7f});
  pencil.circle({-0.95f, waist + 0.14f}, 0.05f, {0.8f, 0.1f, 0.1f});
}

void draw_truck(Pencil& pencil, Dice& dice) {
  pencil.set_surface(0.25f, 0);
  const Color paint = dice.near(dice.one_of(kPaint), 0.25f);
  const Color load =
      dice.near(dice.chance(0.4f) ? Color{0.88f, 0.88f, 0.86f} : dice.one_of(kPaint), 0.25f);
  if (dice.chance(kFrontViews)) {
    const float width = dice.between(0.5f, 0.65f);
    const float top = dice.between(-0.9f, -0.6f);
    if (dice.chance(0.6f)) {  // the box is higher than the cab
      pencil.box({-width - 0.06f, top - 0.08f}, {width + 0.06f, 0.4f}, load);
    }
    draw_front(pencil, dice, paint, width, top + 0.1f, dice.around(-0.05f, 0.08f));
    return;
  }
  if (dice.chance(kPickups)) return draw_pickup(pencil, dice, paint);
  const float floor = dice.around(0.34f, 0.04f);
  const float cab = dice.between(0.4f, 0.6f);  // back of the cab
  const float roof = dice.between(-0.45f, -0.2f);
  const float top = dice.between(-0.75f, -0.45f);
  pencil.box({-0.95f, floor - 0.05f}, {0.9f, floor + 0.06f}, kInk * 1.8f);
  const int kind = dice.below(4);
  if (kind < 2) {  // a box
    pencil.box({-0.98f, top}, {cab - 0.06f, floor}, load);
    pencil.box({-0.98f, top + 0.3f}, {cab - 0.06f, top + 0.4f}, paint);
  } else if (kind == 2) {  // a tank
    pencil.capsule({-0.75f, floor - 0.3f}, {cab - 0.3f, floor - 0.3f}, 0.27f, load);
  } else {  // an open bed with something in it
    pencil.ellipse({-0.3f, floor - 0.28f}, {0.5f, 0.25f}, 0,
                   dice.near({0.45f, 0.35f, 0.22f}, 0.3f));
    pencil.box({-0.98f, floor - 0.3f}, {cab - 0.06f, floor}, load);
  }
  pencil.polygon({{cab, roof}, {0.8f, roof}, {0.95f, roof + 0.35f}, {0.98f, floor}, {cab, floor}},
                 paint, 0.02f);
  pencil.polygon({{cab + 0.12f, roof + 0.08f},
                  {0.76f, roof + 0.08f},
                  {0.88f, roof + 0.34f},
                  {cab + 0.12f, roof + 0.34f}},
                 kGlass);
  const float radius = dice.around(0.18f, 0.02f);
  draw_wheel(pencil, -0.75f, floor + 0.12f, radius);
  draw_wheel(pencil, -0.36f, floor + 0.12f, radius);
  draw_wheel(pencil, 0.68f, floor + 0.12f, radius);
}

}  // namespace sluice

#include "data/builtin_figures.h"

namespace sluice {
namespace {

constexpr float kFromAhead = 0.25f;  // airplanes seen from the front

void draw_sails(Pencil& pencil, Dice& dice, float deck) {
  const Color sail =
      dice.near(dice.chance(0.7f) ? Color{0.95f, 0.94f, 0.9f} : dice.any_color(), 0.1f);
  const float mast = dice.around(-0.05f, 0.15f);
  const float top = dice.between(-1, -0.75f);
  pencil.capsule({mast, top}, {mast, deck}, 0.03f, {0.35f, 0.25f, 0.18f});
  pencil.polygon({{mast + 0.05f, top + 0.05f}, {mast + 0.05f, deck - 0.1f}, {0.65f, deck - 0.1f}},
                 sail);
  pencil.polygon({{mast - 0.05f, top + 0.2f}, {mast - 0.05f, deck - 0.1f}, {-0.55f, deck - 0.1f}},
                 sail * 0.9f);
}

void draw_freight(Pencil& pencil, Dice& dice, float deck) {
  for (float x = -0.45f; x < 0.65f; x += 0.28f) {
    const float height = dice.between(0.12f, 0.38f);
    pencil.box({x, deck - height}, {x + 0.24f, deck}, dice.near(dice.one_of(kPaint), 0.2f));
  }
  pencil.box({-0.8f, deck - 0.55f}, {-0.52f, deck}, {0.9f, 0.9f, 0.88f});
  pencil.box({-0.78f, deck - 0.48f}, {-0.54f, deck - 0.38f}, kGlass);
}

void draw_decks(Pencil& pencil, Dice& dice, float deck) {
  const Color white = dice.near({0.92f, 0.92f, 0.9f}, 0.1f);
  const int decks = 2 + dice.below(2);
  for (int i = 0; i < decks; ++i) {
    const float inset = 0.15f * i;
    const float y = deck - 0.2f * i;
    pencil.box({-0.7f + inset, y - 0.2f}, {0.55f - inset, y}, white * (1 - 0.05f * i));
    pencil.box({-0.62f + inset, y - 0.13f}, {0.48f - inset, y - 0.07f}, kGlass);
  }
  const float funnel = dice.around(-0.1f, 0.15f);
  const float top = deck - 0.2f * decks;
  pencil.box({funnel - 0.1f, top - 0.28f}, {funnel + 0.1f, top},
             dice.near(dice.one_of(kPaint), 0.2f));
  pencil.box({funnel - 0.1f, top - 0.28f}, {funnel + 0.1f, top - 0.2f}, kInk);
}

void draw_speedboat(Pencil& pencil, Dice& dice, float deck) {
  const float back = dice.between(-0.5f, -0.2f);
  const float height = dice.between(0.2f, 0.36f);
  const Color cabin = dice.near({0.9f, 0.9f, 0.88f}, 0.15f);
  pencil.polygon({{back, deck},
                  {back + 0.05f, deck - height},
                  {back + 0.5f, deck - height},
                  {back + 0.8f, deck}},
                 cabin, 0.03f);
  pencil.polygon({{back + 0.12f, deck - 0.06f},
                  {back + 0.14f, deck - height + 0.05f},
                  {back + 0.47f, deck - height + 0.05f},
                  {back + 0.66f, deck - 0.06f}},
                 kGlass);
}

void draw_airplane_from_ahead(Pencil& pencil, Dice& dice, Color hull, Color wing) {
  const float droop = dice.around(0, 0.18f);
  const float girth = dice.between(0.18f, 0.28f);
  pencil.capsule({0, -girth}, {0, -girth - 0.4f}, 0.05f, 0.03f, wing);
  pencil.capsule({-0.35f, -girth - 0.15f}, {0.35f, -girth - 0.15f}, 0.03f, wing);
  for (const float side : {-1.0f, 1.0f}) {
    pencil.capsule({side * 0.1f, 0.06f}, {side * 0.97f, 0.06f + droop}, 0.07f, 0.03f, wing);
    pencil.circle({side * 0.42f, 0.17f + droop * 0.4f}, 0.1f, kMetal * 0.6f);
    pencil.capsule({side * 0.25f, 0.1f}, {side * 0.25f, 0.42f}, 0.04f, kInk);
  }
  pencil.circle({0, 0}, girth, hull);
  pencil.ellipse({0, -girth * 0.4f}, {girth * 0.6f, girth * 0.25f}, 0, kGlass);
}

}  // namespace

void draw_airplane(Pencil& pencil, Dice& dice) {
  pencil.set_surface(0.35f, 0);
  const Color hull =
      dice.near(dice.chance(0.7f) ? Color{0.85f, 0.86f, 0.88f} : dice.one_of(kPaint), 0.15f);
  const Color wing = hull * dice.between(0.65f, 0.95f);
  const Color trim = dice.near(dice.one_of(kPaint), 0.2f);
  const float girth = dice.between(0.10f, 0.17f);
  const float sweep = dice.between(0.1f, 0.5f);
  const float span = dice.between(0.6f, 0.95f);
  const float chord = dice.between(0.16f, 0.26f);
  if (dice.chance(kFromAhead)) return draw_airplane_from_ahead(pencil, dice, hull, wing);
  if (dice.chance(0.4f)) {  // seen from above
    pencil.polygon({{0.2f, 0},
                    {0.2f - sweep, -span},
                    {0.05f - sweep, -span},
                    {0.2f - 2 * chord, 0},
                    {0.05f - sweep, span},
                    {0.2f - sweep, span}},
                   wing, 0.02f);
    pencil.polygon({{-0.65f, 0},
                    {-0.85f, -0.35f},
                    {-0.98f, -0.35f},
                    {-0.9f, 0},
                    {-0.98f, 0.35f},
                    {-0.85f, 0.35f}},
                   trim);
    pencil.capsule({-0.85f, 0}, {0.8f, 0}, girth * 0.5f, girth, hull);
    pencil.ellipse({0.78f, 0}, {0.08f, girth * 0.7f}, 0, kGlass);
    return;
  }
  const float far_span = span * dice.between(0.3f, 0.7f);
  pencil.polygon(
      {{0.25f, -0.05f}, {0.1f - sweep, -far_span}, {-0.05f - sweep, -far_span}, {-0.1f, -0.05f}},
      wing * 0.85f);
  pencil.polygon({{-0.62f, 0}, {-0.85f, -0.5f}, {-1, -0.5f}, {-0.92f, 0}}, trim, 0.02f);
  pencil.capsule({-0.88f, -0.04f}, {0.78f, 0}, girth * 0.5f, girth, hull);
  pencil.capsule({-0.6f, -0.02f}, {0.6f, -0.01f}, 0.02f, kGlass);
  pencil.ellipse({0.8f, -0.05f}, {0.08f, girth * 0.5f}, 0, kGlass);
  pencil.polygon({{0.28f, 0.06f},
                  {0.1f - sweep, span * 0.75f},
                  {-0.08f - sweep, span * 0.75f},
                  {0.28f - 2 * chord, 0.06f}},
                 wing, 0.02f);
  pencil.polygon({{-0.7f, 0}, {-0.9f, 0.2f}, {-1, 0.2f}, {-0.9f, 0}}, wing);
  if (dice.chance(0.6f)) pencil.capsule({0, 0.26f}, {0.18f, 0.26f}, 0.07f, kMetal * 0.7f);
}

void draw_ship(Pencil& pencil, Dice& dice) {
  pencil.set_surface(0.2f, 0);
  const Color hull = dice.near(dice.one_of(kPaint), 0.25f);
  const float deck = dice.around(0.18f, 0.08f);
  const float keel = deck + dice.between(0.25f, 0.42f);
  switch (dice.below(4)) {
    case 0:
      draw_sails(pencil, dice, deck);
      break;
    case 1:
      draw_freight(pencil, dice, deck);
      break;
    case 2:
      draw_speedboat(pencil, dice, deck);
      break;
    default:
      draw_decks(pencil, dice, deck);
      break;
  }
  const float bow = dice.between(0.1f, 0.3f);
  pencil.polygon(
      {{-0.92f, deck}, {0.75f, deck}, {0.98f, deck - 0.08f}, {0.98f - bow, keel}, {-0.82f, keel}},
      hull, 0.02f);
  pencil.polygon(
      {{-0.86f, keel - 0.1f}, {1 - bow * 0.7f, keel - 0.1f}, {0.98f - bow, keel}, {-0.82f, keel}},
      dice.near({0.45f, 0.12f, 0.1f}, 0.2f));
  if (dice.chance(0.7f)) {  // bow wave
    pencil.capsule({-0.95f, keel + 0.02f}, {1.02f - bow, keel}, 0.035f, {0.85f, 0.9f, 0.93f});
  }
}

}  // namespace sluice

#include "data/builtin_figures.h"

namespace sluice {
namespace {

// What makes cars and trucks alike: cars with a high, upright back, and trucks on a car's frame.
constexpr float kVans = 0.3f;
constexpr float kPickups = 0.3f;
constexpr float kFrontViews = 0.3f;

constexpr Color kGlass{0.30f, 0.42f, 0.52f};
constexpr Color kTyre{0.10f, 0.10f, 0.11f};
constexpr Color kMetal{0.70f, 0.71f, 0.73f};

constexpr std::array<Color, 8> kPaint{{{0.75f, 0.12f, 0.12f},
                                       {0.14f, 0.25f, 0.62f},
                                       {0.90f, 0.90f, 0.88f},
                                       {0.16f, 0.16f, 0.18f},
                                       {0.62f, 0.64f, 0.66f},
                                       {0.90f, 0.72f, 0.15f},
                                       {0.12f, 0.42f, 0.26f},
                                       {0.85f, 0.45f, 0.12f}}};

void draw_wheel(Pencil& pencil, float x, float y, float radius) {
  pencil.circle({x, y}, radius, kTyre);
  pencil.circle({x, y}, radius * 0.5f, kMetal);
}

// Seen from the front or behind: cars and trucks differ in height and in the windscreen's share.
void draw_front(Pencil& pencil, Dice& dice, Color paint, float width, float top, float bonnet) {
  const float bottom = dice.around(0.55f, 0.08f);
  const float slope = dice.between(0.06f, 0.16f);
  const bool rear = dice.chance(0.4f);
  pencil.box({-width * 0.9f, bottom - 0.1f}, {-width * 0.55f, bottom + 0.16f}, kTyre, 0.02f);
  pencil.box({width * 0.55f, bottom - 0.1f}, {width * 0.9f, bottom + 0.16f}, kTyre, 0.02f);
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
  pencil.box({-width * 0.35f, bonnet + 0.12f}, {width * 0.35f, bonnet + 0.26f}, kTyre);
}

void draw_pickup(Pencil& pencil, Dice& dice, Color paint) {
  const float waist = dice.around(-0.02f, 0.05f);
  const float sill = dice.around(0.36f, 0.04f);
  const float roof = dice.between(-0.5f, -0.35f);
  const float back = dice.between(-0.25f, 0.05f);  // the cab's
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
  pencil.box({funnel - 0.1f, top - 0.28f}, {funnel + 0.1f, top - 0.2f}, kTyre);
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
  if (dice.chance(0.4f)) {  // from above
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

void draw_ship(Pencil& pencil, Dice& dice) {
  pencil.set_surface(0.2f, 0);
  const Color hull = dice.near(dice.one_of(kPaint), 0.25f);
  const float deck = dice.around(0.18f, 0.08f);
  const float keel = deck + dice.between(0.25f, 0.42f);
  switch (dice.below(3)) {
    case 0:
      draw_sails(pencil, dice, deck);
      break;
    case 1:
      draw_freight(pencil, dice, deck);
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
  if (dice.chance(0.7f)) {  // the bow wave
    pencil.capsule({-0.95f, keel + 0.02f}, {1.02f - bow, keel}, 0.035f, {0.85f, 0.9f, 0.93f});
  }
}

void draw_truck(Pencil& pencil, Dice& dice) {
  pencil.set_surface(0.25f, 0);
  const Color paint = dice.near(dice.one_of(kPaint), 0.25f);
  const Color load =
      dice.near(dice.chance(0.4f) ? Color{0.88f, 0.88f, 0.86f} : dice.one_of(kPaint), 0.25f);
  if (dice.chance(kFrontViews)) {
    const float width = dice.between(0.5f, 0.65f);
    const float top = dice.between(-0.9f, -0.6f);
    if (dice.chance(0.6f)) {  // the box stands out above the cab
      pencil.box({-width - 0.06f, top - 0.08f}, {width + 0.06f, 0.4f}, load);
    }
    draw_front(pencil, dice, paint, width, top + 0.1f, dice.around(-0.05f, 0.08f));
    return;
  }
  if (dice.chance(kPickups)) return draw_pickup(pencil, dice, paint);
  const float floor = dice.around(0.34f, 0.04f);
  const float cab = dice.between(0.4f, 0.6f);  // the cab's back
  const float roof = dice.between(-0.45f, -0.2f);
  const float top = dice.between(-0.75f, -0.45f);
  pencil.box({-0.95f, floor - 0.05f}, {0.9f, floor + 0.06f}, kTyre * 1.8f);
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

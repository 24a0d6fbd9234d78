#include <cmath>

#include "data/builtin_figures.h"

namespace sluice {
namespace {

// Share by which an animal's build moves towards the average four-legged one, and variation of each
// part: they decide how similar cats, deer, dogs and horses look.
constexpr float kLikeness = 0.22f;
constexpr float kVariety = 0.15f;
constexpr float kFaceViews = 0.25f;  // close views from the front

constexpr Color kPink{0.80f, 0.52f, 0.50f};

// clang-format off
enum Part {
  body_length, body_girth, leg_length, leg_width, neck_length, neck_rise, neck_width,
  head_length, head_height, head_dip, snout_length, snout_width,
  ear_length, ear_width, ear_angle, tail_length, tail_angle, tail_width,
  face_width, face_height, muzzle_width, muzzle_height, muzzle_drop, face_ear_out, eye_size,
  kParts
};

// Lengths in units of the figure, angles in radians. Angles: the neck's above the horizon, the
// head's below it, the ear's from straight up towards the back, the tail's above the horizon
// behind. The last line of each is for the face.
using Build = std::array<float, kParts>;
constexpr Build kCat{{
    .42f, .20f, .28f, .060f, .10f, .70f, .12f,   .20f, .18f, .10f, .05f, .10f,
    .18f, .10f, -.10f,  .62f, 1.20f, .045f,
    .60f, .50f, .26f, .18f, .22f, .45f, .13f}};
constexpr Build kDeer{{
    .36f, .19f, .60f, .045f, .42f, 1.10f, .09f,  .15f, .10f, .35f, .12f, .07f,
    .17f, .06f, .90f,  .12f, -.40f, .060f,
    .32f, .60f, .20f, .22f, .48f, 1.00f, .10f}};
constexpr Build kDog{{
    .44f, .21f, .40f, .080f, .18f, .85f, .15f,   .19f, .16f, .15f, .24f, .10f,
    .28f, .09f, 2.50f,  .34f, .80f, .060f,
    .50f, .54f, .30f, .28f, .36f, 2.35f, .10f}};
constexpr Build kHorse{{
    .46f, .24f, .56f, .070f, .46f, .90f, .16f,   .20f, .11f, .80f, .22f, .09f,
    .12f, .05f, .10f,  .60f, -1.20f, .080f,
    .34f, .72f, .25f, .22f, .56f, .35f, .08f}};
// clang-format on

Build vary(const Build& kind, Dice& dice) {
  const float drift = dice.between(0, kLikeness);
  Build build;
  for (int i = 0; i < kParts; ++i) {
    const float average = (kCat[i] + kDeer[i] + kDog[i] + kHorse[i]) / 4;
    build[i] = (kind[i] + (average - kind[i]) * drift) * dice.around(1, kVariety);
  }
  return build;
}

struct Fur {
  Color coat;
  Color belly;
  Color mark;  // mane, stripes, patches
};

void draw_ear(Pencil& pencil, Point root, float length, float width, float angle, Color color) {
  const Point tip = step_from(root, length, angle);
  const Point side{std::sin(angle) * width, std::cos(angle) * width};
  pencil.polygon({{root.x - side.x, root.y - side.y}, {root.x + side.x, root.y + side.y}, tip},
                 color, 0.015f);
}

void draw_antler(Pencil& pencil, Point root, float size, float lean) {
  constexpr Color kHorn{0.50f, 0.40f, 0.28f};
  const Point fork = step_from(root, size * 0.55f, lean);
  pencil.capsule(root, fork, 0.028f, kHorn);
  pencil.capsule(fork, step_from(fork, size * 0.5f, lean + 0.6f), 0.024f, kHorn);
  pencil.capsule(fork, step_from(fork, size * 0.5f, lean - 0.6f), 0.024f, kHorn);
}

// Position of the head after drawing, for parts that only some animals have.
struct Head {
  Point crown;
  Point withers;
};

Head draw_quadruped(Pencil& pencil, Dice& dice, const Build& b, const Fur& fur) {
  const float lift = -0.25f * b[leg_length] - 0.05f;
  const float ground = lift + b[body_girth] + b[leg_length];
  const float stride = dice.between(0, 0.16f);
  const Color far_leg = fur.coat * 0.65f;
  const float fore = b[body_length] * 0.85f, hind = -b[body_length] * 0.95f;
  const float hip = lift + b[body_girth] * 0.4f;
  pencil.capsule({fore - 0.08f, hip}, {fore - 0.08f - stride, ground}, b[leg_width] * 1.3f,
                 b[leg_width] * 0.8f, far_leg);
  pencil.capsule({hind + 0.1f, hip}, {hind + 0.1f + stride, ground}, b[leg_width] * 1.5f,
                 b[leg_width] * 0.8f, far_leg);

  const Point rump{-b[body_length] - b[body_girth] * 0.6f, lift - b[body_girth] * 0.4f};
  const float tail_bend = dice.around(0, 0.5f);
  const float tail_rise = 3.1416f - b[tail_angle];
  const Point tail_middle = step_from(rump, b[tail_length] * 0.5f, tail_rise);
  pencil.capsule(rump, tail_middle, b[tail_width], fur.coat * 0.9f);
  pencil.capsule(tail_middle, step_from(tail_middle, b[tail_length] * 0.5f, tail_rise - tail_bend),
                 b[tail_width], b[tail_width] * 0.7f, fur.mark);

  pencil.capsule({-b[body_length], lift}, {b[body_length], lift - 0.02f}, b[body_girth] * 0.95f,
                 b[body_girth], fur.coat);
  pencil.ellipse({0, lift + b[body_girth] * 0.6f}, {b[body_length], b[body_girth] * 0.4f}, 0,
                 fur.belly);
  pencil.capsule({fore, hip}, {fore + stride, ground}, b[leg_width] * 1.4f, b[leg_width] * 0.8f,
                 fur.coat);
  pencil.capsule({hind, hip}, {hind - stride, ground}, b[leg_width] * 1.9f, b[leg_width] * 0.8f,
                 fur.coat);

  const float nod = dice.around(0, 0.35f);
  const Point withers{b[body_length] * 0.95f, lift - b[body_girth] * 0.35f};
  const Point nape = step_from(withers, b[neck_length], b[neck_rise] + nod);
  pencil.capsule(withers, nape, b[neck_width] * 1.3f, b[neck_width], fur.coat);
  const float dip = b[head_dip] - nod * 0.5f;
  const Point head = step_from(nape, b[head_length] * 0.5f, -dip);
  const Point crown{head.x - b[head_length] * 0.35f, head.y - b[head_height] * 0.75f};
  const float ear = 1.5708f + b[ear_angle];
  draw_ear(pencil, {crown.x + 0.12f, crown.y}, b[ear_length], b[ear_width], ear - 0.2f,
           fur.coat * 0.7f);
  pencil.ellipse(head, {b[head_length], b[head_height]}, dip, fur.coat);
  const Point nose = step_from(head, b[head_length] * 0.7f + b[snout_length], -dip - 0.1f);
  pencil.capsule(step_from(head, b[head_length] * 0.5f, -dip - 0.1f), nose, b[snout_width],
                 b[snout_width] * 0.8f, mix(fur.coat, fur.belly, 0.4f));
  pencil.circle(step_from(nose, b[snout_width] * 0.6f, -dip), 0.045f, kInk);
  draw_ear(pencil, crown, b[ear_length], b[ear_width], ear, fur.mark);
  pencil.circle({head.x + 0.05f, head.y - b[head_height] * 0.25f}, 0.04f, kInk);
  return {crown, withers};
}

Head draw_face(Pencil& pencil, Dice& dice, const Build& b, const Fur& fur) {
  // The bust continues below the picture's edge.
  pencil.capsule({0, 0.5f}, {0, 1.7f}, b[face_width] * 0.8f, b[face_width] * 1.5f, fur.coat * 0.8f);
  const float top = -0.15f;
  for (const float side : {-1.0f, 1.0f}) {
    const Point root{side * b[face_width] * 0.72f, top - b[face_height] * 0.55f};
    const float angle = 1.5708f - side * b[face_ear_out];
    draw_ear(pencil, root, b[ear_length] * 2.2f, b[ear_width] * 2.2f, angle, fur.mark);
    draw_ear(pencil, root, b[ear_length] * 1.4f, b[ear_width] * 1.1f, angle,
             mix(kPink, fur.coat, 0.4f));
  }
  pencil.ellipse({0, top}, {b[face_width], b[face_height]}, 0, fur.coat);
  const Point muzzle{0, top + b[muzzle_drop]};
  pencil.ellipse(muzzle, {b[muzzle_width], b[muzzle_height]}, 0, fur.belly);
  pencil.ellipse({0, muzzle.y - b[muzzle_height] * 0.2f}, {b[muzzle_width] * 0.4f, 0.07f}, 0,
                 dice.chance(0.7f) ? kInk : kPink);
  for (const float side : {-1.0f, 1.0f}) {
    const Point eye{side * b[face_width] * 0.5f, top - b[face_height] * 0.15f};
    pencil.circle(eye, b[eye_size], mix(fur.mark, {0.6f, 0.65f, 0.3f}, 0.6f));
    pencil.circle(eye, b[eye_size] * 0.6f, kInk);
  }
  return {{0, top - b[face_height] * 0.8f}, {0, top}};
}

}  // namespace

void draw_cat(Pencil& pencil, Dice& dice) {
  constexpr std::array<Color, 5> kCoats{{{.80f, .52f, .26f},
                                         {.48f, .47f, .46f},
                                         {.14f, .13f, .13f},
                                         {.86f, .83f, .78f},
                                         {.50f, .40f, .30f}}};
  pencil.set_surface(0.35f, 0.16f);
  const Build build = vary(kCat, dice);
  const Color main = animal_coat(kCoats, dice);
  const Fur fur{main, mix(main, {0.9f, 0.88f, 0.84f}, dice.between(0.1f, 0.7f)), main * 0.75f};
  const bool stripes = dice.chance(0.55f);
  if (dice.chance(kFaceViews)) {
    draw_face(pencil, dice, build, fur);
    for (int i = -1; stripes && i <= 1; ++i)
      pencil.capsule({i * 0.13f, -0.6f}, {i * 0.1f, -0.42f}, 0.03f, main * 0.5f);
    return;
  }
  draw_quadruped(pencil, dice, build, fur);
  for (int i = -2; stripes && i <= 2; ++i)
    pencil.capsule({i * 0.17f, -0.32f}, {i * 0.17f - 0.03f, -0.12f}, 0.03f, main * 0.55f);
}

void draw_deer(Pencil& pencil, Dice& dice) {
  constexpr std::array<Color, 4> kCoats{
      {{.58f, .36f, .20f}, {.50f, .33f, .21f}, {.44f, .34f, .26f}, {.66f, .46f, .28f}}};
  pencil.set_surface(0.35f, 0.10f);
  const Build build = vary(kDeer, dice);
  const Color main = animal_coat(kCoats, dice);
  const Fur fur{main, mix(main, {0.92f, 0.88f, 0.8f}, dice.between(0.3f, 0.8f)),
                mix(main, {0.9f, 0.86f, 0.8f}, 0.4f)};
  const bool face = dice.chance(kFaceViews);
  const Head head =
      face ? draw_face(pencil, dice, build, fur) : draw_quadruped(pencil, dice, build, fur);
  if (dice.chance(0.65f)) {
    const float size = dice.between(0.28f, 0.5f);
    draw_antler(pencil, {head.crown.x + (face ? -0.14f : 0), head.crown.y}, size,
                face ? 2.1f : 1.9f);
    draw_antler(pencil, {head.crown.x + (face ? 0.14f : 0.1f), head.crown.y}, size,
                face ? 1.05f : 1.3f);
  }
  if (!face && dice.chance(0.4f)) {
    for (int i = 0; i < 5; ++i)
      pencil.circle({-0.35f + 0.16f * i, i % 2 ? -0.26f : -0.18f}, 0.035f, {0.9f, 0.86f, 0.76f});
  }
}

void draw_dog(Pencil& pencil, Dice& dice) {
  constexpr std::array<Color, 5> kCoats{{{.50f, .33f, .18f},
                                         {.80f, .64f, .40f},
                                         {.13f, .12f, .12f},
                                         {.85f, .82f, .77f},
                                         {.62f, .45f, .28f}}};
  pencil.set_surface(0.35f, 0.14f);
  const Build build = vary(kDog, dice);
  const Color main = animal_coat(kCoats, dice);
  const Color mark = dice.chance(0.5f) ? main * 0.6f : animal_coat(kCoats, dice);
  const Fur fur{main, mix(main, {0.9f, 0.88f, 0.84f}, dice.between(0.1f, 0.6f)), mark};
  if (dice.chance(kFaceViews)) {
    const Head head = draw_face(pencil, dice, build, fur);
    if (dice.chance(0.4f))
      pencil.ellipse({0.02f, head.withers.y + 0.62f}, {0.08f, 0.12f}, 0,
                     {0.85f, 0.4f, 0.42f});  // tongue
    return;
  }
  draw_quadruped(pencil, dice, build, fur);
  if (dice.chance(0.4f)) pencil.ellipse({dice.around(0, 0.25f), -0.2f}, {0.2f, 0.12f}, 0, mark);
}

void draw_horse(Pencil& pencil, Dice& dice) {
  constexpr std::array<Color, 6> kCoats{{{.45f, .24f, .12f},
                                         {.30f, .18f, .11f},
                                         {.12f, .10f, .10f},
                                         {.82f, .79f, .75f},
                                         {.55f, .53f, .51f},
                                         {.62f, .40f, .20f}}};
  pencil.set_surface(0.4f, 0.06f);
  const Build build = vary(kHorse, dice);
  const Color main = animal_coat(kCoats, dice);
  const Color mane = dice.chance(0.6f) ? main * 0.45f : dice.near({0.82f, 0.74f, 0.6f}, 0.15f);
  const Fur fur{main, main * 0.9f, mane};
  if (dice.chance(kFaceViews)) {
    draw_face(pencil, dice, build, fur);
    if (dice.chance(0.6f))
      pencil.capsule({0, -0.6f}, {0, 0.2f}, 0.07f, 0.04f, {0.93f, 0.91f, 0.88f});  // blaze
    pencil.capsule({0, -0.85f}, {0.06f, -0.6f}, 0.1f, 0.04f, mane);
    return;
  }
  const Head head = draw_quadruped(pencil, dice, build, fur);
  pencil.capsule({head.crown.x - 0.06f, head.crown.y + 0.08f},
                 {head.withers.x - 0.2f, head.withers.y - 0.02f}, 0.07f, 0.09f, mane);
}

}  // namespace sluice

#include "data/drawing.h"

#include <cassert>
#include <cmath>

namespace sluice {
namespace {

Point operator+(Point a, Point b) {
  return {a.x + b.x, a.y + b.y};
}
Point operator-(Point a, Point b) {
  return {a.x - b.x, a.y - b.y};
}
Point operator*(Point a, float s) {
  return {a.x * s, a.y * s};
}
float dot(Point a, Point b) {
  return a.x * b.x + a.y * b.y;
}

constexpr std::size_t kMostCorners = 8;

}  // namespace

Color mix(Color from, Color to, float share) {
  return {from.r + (to.r - from.r) * share, from.g + (to.g - from.g) * share,
          from.b + (to.b - from.b) * share};
}

std::uint32_t Dice::word() {
  if (next_ % 4 == 0) words_ = stream_.bits(next_ / 4);
  return words_[next_++ % 4];
}

float Dice::around(float center, float spread) {
  const std::uint32_t bits = word();
  const float sum = static_cast<float>(bits >> 16) + static_cast<float>(bits & 0xffff);
  return center + spread * (sum * 0x1p-16f - 1);
}

Color Dice::near(Color color, float spread) {
  const float brightness = around(1, spread);
  const float tint[3] = {around(0, spread / 3), around(0, spread / 3), around(0, spread / 3)};
  return {color.r * brightness + tint[0], color.g * brightness + tint[1],
          color.b * brightness + tint[2]};
}

Color Dice::any_color() {
  return {unit(), unit(), unit()};
}

Grain::Grain(Dice& dice, float width, float height) {
  // Interpolates linearly between random values on a lattice; a lattice of 24 is enough for patches
  // of 1.5 pixels.
  constexpr int kLattice = 24;
  std::array<float, kLattice * kLattice> lattice;
  const float step_x = 1 / std::max(width, 1.5f);
  const float step_y = 1 / std::max(height, 1.5f);
  const int columns = static_cast<int>(kSide * step_x) + 2;
  const int rows = static_cast<int>(kSide * step_y) + 2;
  for (int i = 0; i < rows * columns; ++i) lattice[i] = dice.between(-1, 1);
  for (int y = 0; y < kSide; ++y) {
    const int row = static_cast<int>(y * step_y);
    const float down = y * step_y - row;
    for (int x = 0; x < kSide; ++x) {
      const int column = static_cast<int>(x * step_x);
      const float right = x * step_x - column;
      const float* const corner = &lattice[row * columns + column];
      const float upper = corner[0] + (corner[1] - corner[0]) * right;
      const float lower = corner[columns] + (corner[columns + 1] - corner[columns]) * right;
      values_[y * kSide + x] = upper + (lower - upper) * down;
    }
  }
}

void Canvas::blur(float share) {
  std::array<Color, kSide * kSide> rows;
  const auto soften = [share](Color a, Color b, Color c) {
    return mix(b, mix(mix(a, c, 0.5f), b, 0.5f), share);
  };
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      rows[y * kSide + x] =
          soften(at(std::max(x - 1, 0), y), at(x, y), at(std::min(x + 1, kSide - 1), y));
    }
  }
  for (int y = 0; y < kSide; ++y) {
    const Color* const above = &rows[std::max(y - 1, 0) * kSide];
    const Color* const below = &rows[std::min(y + 1, kSide - 1) * kSide];
    for (int x = 0; x < kSide; ++x) at(x, y) = soften(above[x], rows[y * kSide + x], below[x]);
  }
}

void Canvas::write(std::span<std::uint8_t> bytes) const {
  const auto to_byte = [](float v) {
    // NOLINTNEXTLINE(bugprone-incorrect-roundings): never negative
    return static_cast<std::uint8_t>(std::clamp(v, 0.0f, 1.0f) * 255 + 0.5f);
  };
  for (std::size_t i = 0; i < pixels_.size(); ++i) {
    bytes[3 * i] = to_byte(pixels_[i].r);
    bytes[3 * i + 1] = to_byte(pixels_[i].g);
    bytes[3 * i + 2] = to_byte(pixels_[i].b);
  }
}

Pose Pose::turned(Point center, float scale, float angle, float stretch, bool mirrored) {
  const float c = std::cos(angle) * scale;
  const float s = std::sin(angle) * scale;
  const float along = mirrored ? -stretch : stretch;
  return {center, {c * along, s * along}, {-s, c}};
}

Point Pose::operator()(Point p) const {
  return center + x_axis * p.x + y_axis * p.y;
}

float Pose::scale() const {
  return std::sqrt(std::abs(x_axis.x * y_axis.y - x_axis.y * y_axis.x));
}

template <class Distance>
void Pencil::paint(Point low, Point high, Color color, const Distance& distance) {
  const auto cut = [](float v) { return std::clamp(static_cast<int>(v), 0, Canvas::kSide - 1); };
  const int left = cut(low.x - 1), right = cut(high.x + 1);
  const int top = cut(low.y - 1), bottom = cut(high.y + 1);
  const float middle = (low.y + high.y) / 2;
  const float half = std::max((high.y - low.y) / 2, 1.0f);
  for (int y = top; y <= bottom; ++y) {
    const float lit = 1 - roundness_ * 0.5f * (static_cast<float>(y) - middle) / half;
    for (int x = left; x <= right; ++x) {
      const float d = distance(Point{x + 0.5f, y + 0.5f});
      const float cover = std::clamp(0.5f - d, 0.0f, 1.0f);
      if (cover == 0) continue;
      const float edge = std::clamp(1 + d / 3, 0.0f, 1.0f);
      const float light = lit - roundness_ * 0.7f * edge + fur_ * grain_.at(x, y);
      canvas_.blend(x, y, color * light, cover * opacity_);
    }
  }
}

void Pencil::ellipse(Point center, Point radii, float angle, Color color) {
  const Point c = pose_(center);
  const float cosine = std::cos(angle), sine = std::sin(angle);
  // Half axes in pixels: the pose may skew them, so they need not be perpendicular.
  const Point u = pose_({center.x + radii.x * cosine, center.y + radii.x * sine}) - c;
  const Point v = pose_({center.x - radii.y * sine, center.y + radii.y * cosine}) - c;
  const float det = u.x * v.y - u.y * v.x;
  if (std::abs(det) < 1e-3f) return;
  const Point row_u{v.y / det, -v.x / det}, row_v{-u.y / det, u.x / det};
  const Point reach{std::hypot(u.x, v.x), std::hypot(u.y, v.y)};
  paint(c - reach, c + reach, color, [&](Point p) {
    const Point q = p - c;
    const Point unit{dot(row_u, q), dot(row_v, q)};
    const float length = std::sqrt(dot(unit, unit));
    const Point slope = row_u * unit.x + row_v * unit.y;
    const float steep = std::sqrt(dot(slope, slope));
    // First-order distance. It has no direction at the very center, where any large depth is right.
    return steep > 1e-6f ? length * (length - 1) / steep : -10.0f;
  });
}

void Pencil::circle(Point center, float radius, Color color) {
  ellipse(center, {radius, radius}, 0, color);
}

void Pencil::capsule(Point from, Point to, float from_radius, float to_radius, Color color) {
  const Point a = pose_(from), b = pose_(to);
  const float ra = from_radius * pose_.scale(), rb = to_radius * pose_.scale();
  const Point along = b - a;
  const float length2 = std::max(dot(along, along), 1e-6f);
  const Point low{std::min(a.x - ra, b.x - rb), std::min(a.y - ra, b.y - rb)};
  const Point high{std::max(a.x + ra, b.x + rb), std::max(a.y + ra, b.y + rb)};
  paint(low, high, color, [&](Point p) {
    const float t = std::clamp(dot(p - a, along) / length2, 0.0f, 1.0f);
    const Point off = p - (a + along * t);
    return std::sqrt(dot(off, off)) - (ra + (rb - ra) * t);
  });
}

void Pencil::polygon(std::initializer_list<Point> corners, Color color, float rounding) {
  std::array<Point, kMostCorners> at;
  assert(corners.size() <= kMostCorners);
  const std::size_t count = corners.size();
  const float round = rounding * pose_.scale();
  Point low{1e9f, 1e9f}, high{-1e9f, -1e9f};
  for (std::size_t i = 0; i < count; ++i) {
    at[i] = pose_(corners.begin()[i]);
    low = {std::min(low.x, at[i].x - round), std::min(low.y, at[i].y - round)};
    high = {std::max(high.x, at[i].x + round), std::max(high.y, at[i].y + round)};
  }
  paint(low, high, color, [&](Point p) {
    float nearest = 1e9f;
    bool inside = false;
    for (std::size_t i = 0, j = count - 1; i < count; j = i++) {
      const Point edge = at[j] - at[i], w = p - at[i];
      const float t = std::clamp(dot(w, edge) / std::max(dot(edge, edge), 1e-6f), 0.0f, 1.0f);
      const Point off = w - edge * t;
      nearest = std::min(nearest, dot(off, off));
      if ((at[i].y > p.y) != (at[j].y > p.y) && w.x < edge.x * w.y / edge.y) inside = !inside;
    }
    return (inside ? -std::sqrt(nearest) : std::sqrt(nearest)) - round;
  });
}

void Pencil::box(Point top_left, Point bottom_right, Color color, float rounding) {
  polygon({top_left, {bottom_right.x, top_left.y}, bottom_right, {top_left.x, bottom_right.y}},
          color, rounding);
}

}  // namespace sluice

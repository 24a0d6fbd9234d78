#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "base/random.h"

namespace sluice {

struct Point {
  float x, y;
};

/// Red, green and blue from 0 to 1; write() clamps other values.
struct Color {
  float r, g, b;
};

Color mix(Color from, Color to, float share);
inline Color operator*(Color c, float factor) {
  return {c.r * factor, c.g * factor, c.b * factor};
}

/// Random numbers of one picture, drawn in sequence. C++ does not define the order in which
/// arguments are evaluated: draw at most once in such an expression, or use braces, which are
/// evaluated left to right.
class Dice {
 public:
  explicit Dice(RandomStream stream) : stream_(stream) {}

  std::uint32_t word();
  float unit() { return RandomStream::unit(word()); }
  float between(float low, float high) { return low + (high - low) * unit(); }
  /// Returns a value within `spread` of `center`; values near the center are more frequent.
  float around(float center, float spread);
  bool chance(float probability) { return unit() < probability; }
  int below(int n) { return static_cast<int>(RandomStream::below(word(), n)); }
  Color one_of(std::span<const Color> colors) {
    return colors[below(static_cast<int>(colors.size()))];
  }
  /// Changes the brightness and the tint of `color` by up to `spread`.
  Color near(Color color, float spread);
  Color any_color();

 private:
  RandomStream stream_;
  std::uint32_t next_ = 0;
  std::array<std::uint32_t, 4> words_{};
};

/// 32 x 32 values around 0, smooth over a few pixels, for fur, grass and clouds.
class Grain {
 public:
  static constexpr int kSide = 32;
  /// `width` and `height` are the size of one patch in pixels.
  Grain(Dice& dice, float width, float height);
  float at(int x, int y) const { return values_[y * kSide + x]; }

 private:
  std::array<float, kSide * kSide> values_;
};

/// The picture during drawing. x points right and y down, in pixels.
class Canvas {
 public:
  static constexpr int kSide = 32;

  Color& at(int x, int y) { return pixels_[y * kSide + x]; }
  const Color& at(int x, int y) const { return pixels_[y * kSide + x]; }
  void blend(int x, int y, Color color, float alpha) { at(x, y) = mix(at(x, y), color, alpha); }

  /// Mixes in a 3 x 3 blur by `share`.
  void blur(float share);
  /// Rounds to bytes, (32, 32, 3).
  void write(std::span<std::uint8_t> bytes) const;

 private:
  std::array<Color, kSide * kSide> pixels_{};
};

/// Placement of a figure: an affine map from its units, about -1 to 1, to pixels.
struct Pose {
  Point center{16, 16};
  Point x_axis{13, 0};  ///< pixels for one unit to the right
  Point y_axis{0, 13};  ///< pixels for one unit down

  static Pose turned(Point center, float scale, float angle, float stretch, bool mirrored);
  Point operator()(Point p) const;
  float scale() const;
};

/// Draws shapes with soft edges, in a figure's units, onto a canvas. Antialiasing uses the signed
/// distance to the edge in pixels (after the articles of Inigo Quilez).
class Pencil {
 public:
  Pencil(Canvas& canvas, const Pose& pose, const Grain& grain)
      : canvas_(canvas), pose_(pose), grain_(grain) {}

  /// Sets how much shapes darken towards their edge and lower side, and how much grain they show:
  /// bodies are round and have fur, panels are flat and smooth.
  void set_surface(float roundness, float fur) {
    roundness_ = roundness;
    fur_ = fur;
  }
  void set_opacity(float opacity) { opacity_ = opacity; }

  void ellipse(Point center, Point radii, float angle, Color color);
  void circle(Point center, float radius, Color color);
  /// Draws a rod with round ends, with the radius `from_radius` at one end and `to_radius` at the
  /// other.
  void capsule(Point from, Point to, float from_radius, float to_radius, Color color);
  void capsule(Point from, Point to, float radius, Color color) {
    capsule(from, to, radius, radius, color);
  }
  void polygon(std::initializer_list<Point> corners, Color color, float rounding = 0);
  /// Draws a rectangle, upright before the pose rotates it.
  void box(Point top_left, Point bottom_right, Color color, float rounding = 0);

 private:
  template <class Distance>
  void paint(Point low, Point high, Color color, const Distance& distance);

  Canvas& canvas_;
  Pose pose_;
  const Grain& grain_;
  float roundness_ = 0;
  float fur_ = 0;
  float opacity_ = 1;
};

}  // namespace sluice

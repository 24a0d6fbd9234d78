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

/// Red, green and blue, 0 to 1; what goes beyond is cut off at the end.
struct Color {
  float r, g, b;
};

Color mix(Color from, Color to, float share);
inline Color operator*(Color c, float factor) {
  return {c.r * factor, c.g * factor, c.b * factor};
}

/// One picture's random numbers, one after the other. C++ leaves the order in which a call's
/// arguments are evaluated to the compiler: roll at most once in such an expression, or in braces,
/// which are evaluated left to right.
class Dice {
 public:
  explicit Dice(RandomStream stream) : stream_(stream) {}

  std::uint32_t word();
  float unit() { return RandomStream::unit(word()); }
  float between(float low, float high) { return low + (high - low) * unit(); }
  /// Near `center` more often than far from it, and never farther than `spread`.
  float around(float center, float spread);
  bool chance(float probability) { return unit() < probability; }
  int below(int n) { return static_cast<int>(RandomStream::below(word(), n)); }
  Color one_of(std::span<const Color> colors) {
    return colors[below(static_cast<int>(colors.size()))];
  }
  /// `color` with its brightness and its tint changed by up to `spread`.
  Color near(Color color, float spread);
  Color any_color();

 private:
  RandomStream stream_;
  std::uint32_t next_ = 0;
  std::array<std::uint32_t, 4> words_{};
};

/// 32 x 32 values around 0, smooth over a few pixels: fur, grass, clouds.
class Grain {
 public:
  static constexpr int kSide = 32;
  /// `width` and `height` are the size of one patch in pixels.
  Grain(Dice& dice, float width, float height);
  float at(int x, int y) const { return values_[y * kSide + x]; }

 private:
  std::array<float, kSide * kSide> values_;
};

/// The picture while it is drawn. x runs right and y down, in pixels.
class Canvas {
 public:
  static constexpr int kSide = 32;

  Color& at(int x, int y) { return pixels_[y * kSide + x]; }
  const Color& at(int x, int y) const { return pixels_[y * kSide + x]; }
  void blend(int x, int y, Color color, float alpha) { at(x, y) = mix(at(x, y), color, alpha); }

  /// Mixes in as much of a 3 x 3 blur as `share` says.
  void blur(float share);
  /// Rounds to bytes, (32, 32, 3).
  void write(std::span<std::uint8_t> bytes) const;

 private:
  std::array<Color, kSide * kSide> pixels_{};
};

/// Where a figure stands: an affine map from the figure's units, about -1 to 1, to pixels.
struct Pose {
  Point center{16, 16};
  Point x_axis{13, 0};  ///< pixels for one unit to the right
  Point y_axis{0, 13};  ///< pixels for one unit down

  static Pose turned(Point center, float scale, float angle, float stretch, bool mirrored);
  Point operator()(Point p) const;
  float scale() const;
};

/// Draws soft-edged shapes, given in a figure's units, onto a canvas. Edges are antialiased by the
/// signed distance from them in pixels (after the articles of Inigo Quilez).
class Pencil {
 public:
  Pencil(Canvas& canvas, const Pose& pose, const Grain& grain)
      : canvas_(canvas), pose_(pose), grain_(grain) {}

  /// How much darker shapes get towards their edge and their lower side, and how much of the grain
  /// they show: bodies are round and have fur, panels are flat and smooth.
  void set_surface(float roundness, float fur) {
    roundness_ = roundness;
    fur_ = fur;
  }
  void set_opacity(float opacity) { opacity_ = opacity; }

  void ellipse(Point center, Point radii, float angle, Color color);
  void circle(Point center, float radius, Color color);
  /// A rod with round ends, `from_radius` thick at one and `to_radius` at the other.
  void capsule(Point from, Point to, float from_radius, float to_radius, Color color);
  void capsule(Point from, Point to, float radius, Color color) {
    capsule(from, to, radius, radius, color);
  }
  void polygon(std::initializer_list<Point> corners, Color color, float rounding = 0);
  /// Upright before the pose turns it.
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

#pragma once

#include <string>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/evaluation.h"
#include "sluice/trainer.h"

namespace sluice {

// Each picture as a gnuplot script that writes a PNG to standard output.

std::string curves_plot(const std::string& title, const History& history);
std::string confusion_plot(const std::string& title, const ConfusionMatrix& confusion);
std::string distribution_plot(const std::string& title, const Examples& train,
                              const Examples& test);
std::string samples_plot(const std::string& title, const Examples& examples);

// What the pictures share. Sizes are in pixels.

inline constexpr const char* kInk = "#333333";
inline constexpr const char* kTrainingColour = "#3274a1";
inline constexpr const char* kOtherColour = "#e1812c";  // validation, test
inline constexpr int kHeadHeight = 64;                  // title and subtitle

/// Where the axes are; what is left around them is for names.
struct Canvas {
  int width = 0;
  int height = 0;
  int left = 0;
  int right = 0;  ///< from the right edge
  int top = kHeadHeight;
  int bottom = 0;  ///< from the lower edge
};

/// Terminal, margins, and the title above the picture's middle.
std::string begin_plot(const Canvas& canvas, const std::string& title, const std::string& subtitle);

/// About how wide a text is in a font of so many points; DejaVu Sans, to which "sans" falls back
/// on Debian, is among the widest.
int text_pixels(const std::string& text, int points);

/// A class's name, short enough for a picture.
std::string name_on_picture(const std::string& class_name);
int longest_pixels(const std::vector<std::string>& names, int points);

/// Widens the margins left and right, so that a title above a plot of so many pixels is not cut,
/// nor a picture narrower than `least`; sets the width.
void fit_width(Canvas& canvas, int plot, const std::string& title, int least = 0);

/// 'set xtics (...)' or 'set ytics (...)' with a name at 0, step, 2 step... from `first`.
std::string name_tics(char axis, const std::vector<std::string>& names, const std::string& options,
                      int first = 0, int step = 1);

}  // namespace sluice

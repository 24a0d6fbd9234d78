#pragma once

#include <string>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/evaluation.h"
#include "sluice/lab/frontier.h"
#include "sluice/trainer.h"

namespace sluice {

// Each function returns a gnuplot script that writes a PNG to standard output.

std::string curves_plot(const std::string& title, const History& history);
std::string confusion_plot(const std::string& title, const ConfusionMatrix& confusion);
std::string distribution_plot(const std::string& title, const Examples& train,
                              const Examples& test);
std::string samples_plot(const std::string& title, const Examples& examples);
std::string augmentation_plot(const std::string& title, const Examples& examples,
                              const Augmentation& options, std::uint64_t seed, std::uint32_t stage);
std::string frontier_plot(const Frontier& frontier);

// Shared by the plots. Sizes are in pixels.

inline constexpr const char* kInk = "#333333";
inline constexpr const char* kTrainingColour = "#3274a1";
inline constexpr const char* kOtherColour = "#e1812c";  // validation, test
inline constexpr int kHeadHeight = 64;                  // title and subtitle

/// Position of the axes; the names use the margins.
struct Canvas {
  int width = 0;
  int height = 0;
  int left = 0;
  int right = 0;  ///< margin at the right edge
  int top = kHeadHeight;
  int bottom = 0;  ///< margin at the lower edge
};

/// Sets the terminal, the margins, and a centred title.
std::string begin_plot(const Canvas& canvas, const std::string& title, const std::string& subtitle);

/// Estimates the width of a text in a font of `points`, for DejaVu Sans, Debian's fallback for
/// "sans", which is among the widest.
int text_pixels(const std::string& text, int points);

/// Shortens a class name for a picture.
std::string name_on_picture(const std::string& class_name);
int longest_pixels(const std::vector<std::string>& names, int points);

/// Widens the margins left and right, so that the title above a plot of `plot` pixels is not cut
/// and the picture is at least `least` wide; sets the width.
void fit_width(Canvas& canvas, int plot, const std::string& title, int least = 0);

/// Returns 'set xtics (...)' or 'set ytics (...)' with names at `first`, first + step, ...
std::string name_tics(char axis, const std::vector<std::string>& names, const std::string& options,
                      int first = 0, int step = 1);

}  // namespace sluice

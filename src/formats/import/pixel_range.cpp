#include "formats/import/pixel_range.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "base/text.h"

namespace sluice {

namespace {

constexpr double kPixelRange = 255;

/// Values of 0 to 1 are neither scaled by less than this, nor centred beyond kFarthest.
constexpr double kLeastScale = 1.0 / 64;
constexpr double kFarthest = 2;

bool scale_to_unit(Rescaling& layer) {
  if (std::fabs(layer.scale) >= kLeastScale &&
      std::fabs(layer.offset) <= kFarthest * std::fabs(layer.scale)) {
    return false;
  }
  layer.scale *= kPixelRange;
  return true;
}

bool scale_to_unit(Normalization& layer) {
  const bool far =
      std::ranges::any_of(layer.mean, [](double v) { return std::fabs(v) > kFarthest; });
  const bool wide =
      std::ranges::any_of(layer.variance, [](double v) { return v > kFarthest * kFarthest; });
  if (!far && !wide) return false;
  for (double& mean : layer.mean) mean /= kPixelRange;
  for (double& variance : layer.variance) variance /= kPixelRange * kPixelRange;
  return true;
}

}  // namespace

bool to_unit_range(Layer& layer) {
  if (auto* rescaling = std::get_if<Rescaling>(&layer)) return scale_to_unit(*rescaling);
  auto* normalization = std::get_if<Normalization>(&layer);
  return normalization != nullptr && scale_to_unit(*normalization);
}

std::string takes_bytes(const std::string& place, const std::string& layer) {
  return fmt::format(
      "{}: '{}' takes pictures of 0 to 255; Sluice divides them by 255, and the layer's numbers "
      "with them",
      place, one_line(layer));
}

std::vector<double> of_channels(const std::vector<double>& numbers, double otherwise,
                                std::size_t channels, const std::string& place) {
  if (numbers.size() == channels) return numbers;
  if (numbers.size() <= 1) {
    return std::vector<double>(channels, numbers.empty() ? otherwise : numbers[0]);
  }
  throw user_error("import",
                   "{}: its pictures have {} channels, and there are {} numbers of the mean or of "
                   "the deviation: give one of each channel, or one for all",
                   place, channels, numbers.size());
}

std::vector<Layer> layers_of_input(const PixelInput& pixels, const Shape& picture,
                                   const std::string& place) {
  std::vector<Layer> layers;
  if (pixels.low != 0 || pixels.high != 1) {
    layers.push_back(Rescaling{"input_range", pixels.high - pixels.low, pixels.low});
  }
  if (pixels.mean.empty() && pixels.deviation.empty()) return layers;
  const auto channels = static_cast<std::size_t>(picture.back());
  Normalization layer{"input_normalization", of_channels(pixels.mean, 0, channels, place),
                      of_channels(pixels.deviation, 1, channels, place)};
  for (double& value : layer.variance) value *= value;
  layers.push_back(std::move(layer));
  return layers;
}

}  // namespace sluice

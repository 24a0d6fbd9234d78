#include "data/augment/augmenter.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "base/random.h"

namespace sluice {

namespace {

constexpr double kWidest = 4.0 / 3;  // ratio of width to height of a crop, as torchvision's

/// Maps to [low, high).
double between(double low, double high, std::uint32_t bits) {
  return low + (high - low) * RandomStream::unit(bits);
}

/// Maps to a whole number in [low, high].
int whole_between(int low, int high, std::uint32_t bits) {
  return low +
         static_cast<int>(RandomStream::below(bits, static_cast<std::uint32_t>(high - low) + 1));
}

/// Mean of each channel, in [0, 1]; exact sums, so in any order the same.
std::vector<float> mean_colour(const Examples& examples) {
  std::vector<std::uint64_t> sums(static_cast<std::size_t>(examples.shape()[2]), 0);
  for (std::size_t i = 0; i < examples.size(); ++i) {
    std::size_t channel = 0;
    for (const std::uint8_t value : examples.pixels(i)) {
      sums[channel] += value;
      if (++channel == sums.size()) channel = 0;
    }
  }
  const double most = 255.0 * static_cast<double>(examples.size()) *
                      static_cast<double>(examples.shape()[0] * examples.shape()[1]);
  std::vector<float> mean;
  for (const std::uint64_t sum : sums) mean.push_back(static_cast<float>(double(sum) / most));
  return mean;
}

void require_options(const Augmentation& options, const Shape& shape) {
  const auto require = [](bool fits, const char* name, const auto& value, const auto& wanted) {
    if (!fits) throw user_error("train", "augment.{} is {}: must be {}", name, value, wanted);
  };
  const auto least = static_cast<int>(std::min(shape[0], shape[1]));
  const std::string of_image = fmt::format("for images of {}", to_string(shape));
  require(options.random_resized_crop > 0 && options.random_resized_crop <= 1,
          "random_resized_crop", options.random_resized_crop, "above 0 and at most 1");
  require(options.shift >= 0 && options.shift < least, "shift", options.shift,
          fmt::format("between 0 and {} {}", least - 1, of_image));
  require(options.brightness >= 0 && options.brightness <= 1, "brightness", options.brightness,
          "between 0 and 1");
  require(options.contrast >= 0 && options.contrast <= 1, "contrast", options.contrast,
          "between 0 and 1");
  require(options.cutout >= 0 && options.cutout <= least, "cutout", options.cutout,
          fmt::format("between 0 and {} {}", least, of_image));
  require(options.mixup >= 0 && options.mixup <= 1, "mixup", options.mixup, "between 0 and 1");
}

}  // namespace

Augmenter::Augmenter(const Augmentation& options, const Examples& examples, std::uint64_t seed,
                     std::uint32_t stage)
    : options_(options), examples_(examples), seed_(seed), stage_(stage) {
  require_options(options, examples.shape());
  if (options.cutout > 0) mean_colour_ = mean_colour(examples);
}

std::array<std::uint32_t, 4> Augmenter::bits(Choice choice, std::uint32_t example, int epoch,
                                             std::uint32_t attempt) const {
  const std::uint64_t number = static_cast<std::uint64_t>(choice) + attempt;
  return RandomStream(seed_, Purpose::augmentation, number << 32 | stage_,
                      static_cast<std::uint32_t>(epoch))
      .bits(example);
}

/// torchvision's RandomResizedCrop.get_params().
void Augmenter::choose_crop(std::uint32_t example, int epoch, Placement& rows,
                            Placement& columns) const {
  constexpr std::uint32_t kAttempts = 10;
  const int height = rows.size;
  const int width = columns.size;
  for (std::uint32_t attempt = 0; attempt < kAttempts; ++attempt) {
    const auto random = bits(Choice::crop, example, epoch, attempt);
    const double area = between(options_.random_resized_crop, 1, random[0]) * height * width;
    const double ratio = std::exp(between(-std::log(kWidest), std::log(kWidest), random[1]));
    const auto wide = static_cast<int>(std::lround(std::sqrt(area * ratio)));
    const auto high = static_cast<int>(std::lround(std::sqrt(area / ratio)));
    if (wide < 1 || wide > width || high < 1 || high > height) continue;
    rows.begin = whole_between(0, height - high, random[2]);
    rows.size = high;
    columns.begin = whole_between(0, width - wide, random[3]);
    columns.size = wide;
    return;
  }
  // The largest part in the middle that is not too wide or too high.
  columns.size = std::min(width, static_cast<int>(std::lround(height * kWidest)));
  rows.size = std::min(height, static_cast<int>(std::lround(width * kWidest)));
  columns.begin = (width - columns.size) / 2;
  rows.begin = (height - rows.size) / 2;
}

bool Augmenter::mirrored(std::uint32_t example, int epoch) const {
  const bool alternates = options_.mirror == Augmentation::Mirror::alternating;
  const bool random = bits(Choice::mirror, example, alternates ? 1 : epoch)[0] >> 31 != 0;
  return alternates && epoch % 2 == 0 ? !random : random;
}

void Augmenter::write(std::uint32_t example, int epoch, std::span<float> out) {
  const Shape& shape = examples_.shape();
  const auto height = static_cast<int>(shape[0]);
  const auto width = static_cast<int>(shape[1]);
  Placement rows{.size = height};
  Placement columns{.size = width};
  if (options_.random_resized_crop < 1) choose_crop(example, epoch, rows, columns);
  if (options_.shift > 0) {
    const auto random = bits(Choice::shift, example, epoch);
    rows.shift = whole_between(-options_.shift, options_.shift, random[0]);
    columns.shift = whole_between(-options_.shift, options_.shift, random[1]);
  }
  if (options_.mirror != Augmentation::Mirror::none) columns.mirrored = mirrored(example, epoch);
  fill_taps(rows, height, rows_);
  fill_taps(columns, width, columns_);
  const PixelView pixels = examples_.pixels(example);
  place_image(pixels, shape, rows_, columns_, out);

  const auto factor = [](double strength, std::uint32_t random) {
    return static_cast<float>(between(1 - strength, 1 + strength, random));
  };
  if (options_.brightness > 0 || options_.contrast > 0) {
    const auto random = bits(Choice::brightness_contrast, example, epoch);
    if (options_.brightness > 0) adjust_brightness(out, factor(options_.brightness, random[0]));
    if (options_.contrast > 0) {
      adjust_contrast(out, static_cast<int>(shape[2]), factor(options_.contrast, random[1]));
    }
  }
  if (options_.cutout > 0) {
    const auto random = bits(Choice::cutout, example, epoch);
    cut_out(out, shape, whole_between(0, height - 1, random[0]),
            whole_between(0, width - 1, random[1]), options_.cutout, mean_colour_);
  }
}

}  // namespace sluice

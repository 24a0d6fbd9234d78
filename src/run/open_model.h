#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sluice/evaluation.h"
#include "sluice/model_file.h"
#include "sluice/predictor.h"

namespace sluice {

/// Images as the input of one model.
struct Input {
  std::vector<float> values;  ///< (count, height, width, channels), in [0, 1]
  std::size_t image = 0;      ///< values per image
};

/// A network or a mixture, compiled.
class OpenModel {
 public:
  OpenModel(AnyModel model, const PredictorOptions& options)
      : saved_(std::move(model)),
        compiled_(std::visit(
            [&](const auto& saved) {
              return compile_for_inference(
                  saved.model, saved.weights,
                  CompileOptions{.batch = std::min(options.batch, batch_of(saved.model)),
                                 .compute = options.compute});
            },
            saved_)),
        mixture_(std::get_if<SavedMixture>(&saved_)),
        name_(mixture_ != nullptr ? names::kMixture : std::get<SavedModel>(saved_).model.name) {
    const Shape& shape = compiled_->input_shape();
    if (shape.size() == 3 && (shape[2] == 3 || shape[2] == 1)) return;
    throw user_error("predict", "{} takes images of {}, not colour or grey pictures", name_,
                     to_string(shape));
  }
  OpenModel(const OpenModel&) = delete;
  OpenModel& operator=(const OpenModel&) = delete;

  const std::string& name() const { return name_; }
  const SavedMixture* mixture() const { return mixture_; }
  const std::vector<std::string>& class_names() const {
    return mixture_ != nullptr ? mixture_->class_names : std::get<SavedModel>(saved_).class_names;
  }
  const Shape& shape() const { return compiled_->input_shape(); }
  Resize resize() const {
    return std::visit([](const auto& saved) { return saved.resize; }, saved_);
  }
  ReadOptions reading() const {
    const bool turned =
        std::visit([](const auto& saved) { return saved.exif_orientation; }, saved_);
    return {turned, static_cast<int>(shape()[0]), static_cast<int>(shape()[1])};
  }
  std::size_t max_batch() const { return static_cast<std::size_t>(compiled_->max_batch()); }

  Input room_for(std::size_t images) const {
    const auto image = static_cast<std::size_t>(element_count(shape()));
    return {std::vector<float>(images * image), image};
  }
  /// Resizes an image into a row. May be called from several threads for different rows.
  void take(const Image& image, std::size_t row, Input& input) const {
    std::ranges::transform(fitted(image, shape(), resize()),
                           input.values.begin() + row * input.image,
                           [](std::uint8_t pixel) { return static_cast<float>(pixel) / 255.f; });
  }

  /// Calls see(row, outputs) for each image. Only one thread may call it at a time.
  template <class See>
  void predict(const Input& input, const See& see) {
    const std::size_t images = input.values.size() / input.image;
    const std::span<const float> outputs =
        compiled_->predict(input.values, static_cast<int>(images));
    const std::size_t width = outputs.size() / images;
    for (std::size_t i = 0; i < images; ++i) see(i, outputs.subspan(i * width, width));
  }
  /// Returns the route of a row of the last predict().
  std::optional<Route> route(std::size_t row) const {
    return compiled_->route(static_cast<int>(row));
  }

 private:
  static int batch_of(const Sequential& model) { return throughput_batch(model.input); }
  static int batch_of(const Mixture& model) { return throughput_batch(model.baseline.input); }

  AnyModel saved_;
  std::unique_ptr<CompiledModel> compiled_;
  const SavedMixture* mixture_;
  std::string name_;
};

}  // namespace sluice

#include "sluice/predictor.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"
#include "data/read_images.h"
#include "eval/outputs.h"
#include "run/open_model.h"
#include "sluice/lab/run_folder.h"

namespace sluice {

namespace {

namespace fs = std::filesystem;

std::vector<float> copied(std::span<const float> values) {
  return {values.begin(), values.end()};
}

/// Divides scores by their sum. Returns false, and leaves them, if the sum is not above 0 or not
/// finite.
bool divide_by_sum(std::vector<float>& scores) {
  const float sum = std::accumulate(scores.begin(), scores.end(), 0.f);
  if (!(sum > 0 && std::isfinite(sum))) return false;
  for (float& score : scores) score /= sum;
  return true;
}

}  // namespace

struct Predictor::State {
  std::unique_ptr<OpenModel> model;
  std::unique_ptr<OpenModel> frozen;  ///< may be null
  std::mutex turn;                    ///< held by the thread that computes

  /// Images as the inputs of both models.
  struct Inputs {
    Input model;
    Input frozen;
  };
  std::size_t max_batch() const {
    return frozen ? std::min(model->max_batch(), frozen->max_batch()) : model->max_batch();
  }
  Inputs room_for(std::size_t images) const {
    return {model->room_for(images), frozen ? frozen->room_for(images) : Input{}};
  }
  void take(const Image& image, std::size_t row, Inputs& inputs) const {
    model->take(image, row, inputs.model);
    if (frozen) frozen->take(image, row, inputs.frozen);
  }

  /// Predicts a batch. Calls of several threads wait for each other.
  std::vector<Prediction> predict(const Inputs& inputs, std::size_t images) {
    std::vector<Prediction> all(images);
    const std::lock_guard lock(turn);
    model->predict(inputs.model, [&](std::size_t row, std::span<const float> outputs) {
      Prediction& one = all[row];
      one.scores = copied(outputs);
      if (divide_by_sum(one.scores)) one.best = predicted_class(outputs);
      if (const std::optional<sluice::Route> route = model->route(row)) {
        one.route = {route->group, copied(route->gate), copied(route->baseline),
                     copied(route->expert), copied(route->importance)};
      }
    });
    if (!frozen) return all;
    frozen->predict(inputs.frozen, [&](std::size_t row, std::span<const float> outputs) {
      all[row].frozen = copied(outputs);
      divide_by_sum(all[row].frozen);
    });
    return all;
  }
};

Predictor::Predictor(const fs::path& path, const PredictorOptions& options)
    : state_(std::make_unique<State>()) {
  const auto opened = [&](AnyModel model) {
    set_routing(model, options.routing);
    return std::make_unique<OpenModel>(std::move(model), options);
  };
  std::error_code ignored;
  if (fs::exists(path, ignored) && !is_folder(path)) {
    state_->model = opened(read_model(path));
    return;
  }
  const RunFolder run = RunFolder::open(path);
  if (run.has_model(names::kMixture)) state_->model = opened(run.read_mixture());
  if (run.has_model(names::kBaseline)) {
    (state_->model ? state_->frozen : state_->model) = opened(run.read_model(names::kBaseline));
  }
  if (!state_->model) {
    const std::vector<std::string> models = run.models();
    if (models.empty()) {
      throw user_error("predict", "{} has no trained model yet", path_text(path));
    }
    throw user_error("predict",
                     "{} has neither a mixture nor a baseline: use one of its models, such as {}",
                     path_text(path), path_text(run.path() / models[0] / "model.safetensors"));
  }
  if (!state_->frozen || state_->frozen->class_names() == state_->model->class_names()) return;
  throw user_error("predict",
                   "{} has a baseline and a mixture of different classes: use the file of one",
                   path_text(path));
}

Predictor::~Predictor() = default;
Predictor::Predictor(Predictor&&) noexcept = default;
Predictor& Predictor::operator=(Predictor&&) noexcept = default;

const std::string& Predictor::name() const {
  return state_->model->name();
}

const std::vector<std::string>& Predictor::class_names() const {
  return state_->model->class_names();
}

const std::vector<Groups::Group>& Predictor::groups() const {
  static const std::vector<Groups::Group> none;
  const SavedMixture* mixture = state_->model->mixture();
  return mixture != nullptr ? mixture->groups : none;
}

bool Predictor::has_frozen() const {
  return state_->frozen != nullptr;
}

const Shape& Predictor::input_shape() const {
  return state_->model->shape();
}

Resize Predictor::resize() const {
  return state_->model->resize();
}

ReadOptions Predictor::reading() const {
  ReadOptions options = state_->model->reading();
  if (!state_->frozen) return options;
  const ReadOptions frozen = state_->frozen->reading();
  options.height = std::max(options.height, frozen.height);
  options.width = std::max(options.width, frozen.width);
  return options;
}

std::vector<Prediction> Predictor::predict(std::span<const Image> images) const {
  std::vector<Prediction> all;
  for (std::size_t first = 0; first < images.size(); first = all.size()) {
    const auto batch = images.subspan(first, std::min(images.size() - first, state_->max_batch()));
    State::Inputs inputs = state_->room_for(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) state_->take(batch[i], i, inputs);
    std::ranges::move(state_->predict(inputs, batch.size()), std::back_inserter(all));
  }
  return all;
}

std::vector<Predictor::OfFile> Predictor::predict_files(std::span<const fs::path> files) const {
  std::vector<OfFile> all;
  for (std::size_t first = 0; first < files.size(); first = all.size()) {
    const auto batch = files.subspan(first, std::min(files.size() - first, state_->max_batch()));
    State::Inputs inputs = state_->room_for(batch.size());
    std::vector<std::optional<Error>> faults =
        read_images(batch, reading(),
                    [&](std::size_t row, const Image& image) { state_->take(image, row, inputs); });
    // A picture that cannot be read stays black in the batch; its prediction is dropped.
    std::vector<Prediction> predictions = state_->predict(inputs, batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const bool read = !faults[i];
      all.push_back({std::move(faults[i]), read ? std::move(predictions[i]) : Prediction{}});
    }
  }
  return all;
}

}  // namespace sluice

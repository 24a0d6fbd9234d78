#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/error.h"
#include "sluice/network.h"

namespace [[gnu::visibility("default")]] sluice {

struct PredictorOptions {
  int batch = 256;  ///< the most images that are computed together; memory grows with it
  Compute compute = Compute::automatic;
};

/// What a model says of one image, by class in the order of Predictor::class_names().
struct Prediction {
  /// How a mixture came to it.
  struct Route {
    int group = 0;                  ///< that the gate chose, in the order of Predictor::groups()
    std::vector<float> gate;        ///< (groups)
    std::vector<float> baseline;    ///< (classes), of the mixture's own baseline
    std::vector<float> expert;      ///< (classes), of the chosen group, as the next
    std::vector<float> importance;  ///< (classes, 2): see importance_model()
  };

  /// (classes), divided by their sum. Where that is not above 0 or not finite there is no answer:
  /// they are left as the model gave them, and `best` is -1.
  std::vector<float> scores;
  int best = -1;  ///< the class with the largest score, of equal ones the first
  std::optional<Route> route;
  /// (classes), likewise, of the baseline from before joint training. Empty where a mixture's file,
  /// or another network, was opened alone.
  std::vector<float> frozen;
};

/// Opens the model of a run, or of one file, to predict with it. Several threads may call it at a
/// time: each resizes its images itself, and they take turns to compute, because a computation runs
/// on all OpenMP threads. So a second compiled model would take memory and gain nothing.
class Predictor {
 public:
  /// `path` is a model file, or the folder of a run: its mixture, and the frozen baseline beside
  /// it; of a run without a mixture the baseline. Throws Error (user) for a path that has neither,
  /// a file that is damaged, a model that takes no colour pictures, or a baseline of other classes
  /// than the mixture.
  explicit Predictor(const std::filesystem::path& path, const PredictorOptions& options = {});
  ~Predictor();
  Predictor(Predictor&&) noexcept;
  Predictor& operator=(Predictor&&) noexcept;

  /// "mixture", or the network's name.
  const std::string& name() const;
  const std::vector<std::string>& class_names() const;
  /// Of a mixture; empty for a network.
  const std::vector<Groups::Group>& groups() const;
  /// Whether predictions have what the baseline from before joint training says.
  bool has_frozen() const;
  /// {height, width, 3}: images of another size are resized to it.
  const Shape& input_shape() const;

  /// Any number of images of any size. Every part runs once for each, and an expert only for the
  /// images that the gate sends to it. Throws Error (user) for pixels that are not those of the
  /// image's size.
  std::vector<Prediction> predict(std::span<const Image> images) const;

  /// A prediction, or why there is none.
  struct OfFile {
    std::optional<Error> fault;
    Prediction prediction;
  };
  /// The same for PNG and JPEG files, which are read on all threads: see read_image().
  std::vector<OfFile> predict_files(std::span<const std::filesystem::path> files) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice

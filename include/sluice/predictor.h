#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/error.h"
#include "sluice/model_file.h"
#include "sluice/network.h"

#pragma GCC visibility push(default)

namespace sluice {

struct PredictorOptions {
  /// Maximum number of images computed together; determines the memory. Large images are computed
  /// in smaller batches: see throughput_batch().
  int batch = 256;
  Compute compute = Compute::automatic;
  Routing routing = {};  ///< of a network with layers of experts
};

/// Prediction for one image. Classes are in the order of Predictor::class_names().
struct Prediction {
  /// Outputs of a mixture's parts.
  struct Route {
    int group = 0;                ///< chosen by the gate; an index into Predictor::groups()
    std::vector<float> gate;      ///< (groups)
    std::vector<float> baseline;  ///< (classes), output of the mixture's own baseline
    std::vector<float> expert;    ///< (classes), output of the chosen group's expert
    std::vector<float>
        importance;  ///< (classes, 2), weights of the chosen group: see importance_model()
  };

  /// (classes), the outputs divided by their sum. If the sum is not finite or not above 0, there is
  /// no prediction: scores are the model's outputs, and `best` is -1.
  std::vector<float> scores;
  int best = -1;               ///< class with the largest score, of equal ones the first
  std::optional<Route> route;  ///< empty for a network
  /// (classes), in the same way, scores of the frozen baseline, which is the baseline before joint
  /// training. Empty if only the file of a model was opened.
  std::vector<float> frozen;
};

/// Opens the model of a run, or of one file, for predictions. Several threads may call it at the
/// same time: each resizes its own images, and they compute one after another, because a
/// computation runs on all OpenMP threads. A second compiled model would take memory and not be
/// faster.
class Predictor {
 public:
  /// `path` is a model file or the folder of a run. A run gives its mixture and the frozen
  /// baseline, or the baseline if it has no mixture. Throws Error (user) if the path has neither, a
  /// file is damaged, the model's input is neither a colour nor a grey image, or baseline and
  /// mixture have different classes; and as set_routing(), also for a mixture of whole networks.
  explicit Predictor(const std::filesystem::path& path, const PredictorOptions& options = {});
  ~Predictor();
  Predictor(Predictor&&) noexcept;
  Predictor& operator=(Predictor&&) noexcept;

  /// Returns "mixture" or the network's name.
  const std::string& name() const;
  const std::vector<std::string>& class_names() const;
  /// Groups of a mixture; empty for a network.
  const std::vector<Groups::Group>& groups() const;
  /// Whether predictions have scores of the frozen baseline.
  bool has_frozen() const;
  /// {height, width, 3}, or 1 for grey; images of another size are resized to this one.
  const Shape& input_shape() const;
  /// How images are resized: as in training, if the model file says so, else Resize::stretch.
  Resize resize() const;
  /// How files are read, for read_image(): as in training.
  ReadOptions reading() const;

  /// Predicts any number of images of any size. Every part runs once for each image, an expert only
  /// for the images that the gate sends to it. Throws Error (user) if an image's number of pixels
  /// does not fit its size.
  std::vector<Prediction> predict(std::span<const Image> images) const;

  /// A prediction, or the error that prevented it.
  struct OfFile {
    std::optional<Error> fault;
    Prediction prediction;
  };
  /// Predicts files, which all OpenMP threads read: see read_image().
  std::vector<OfFile> predict_files(std::span<const std::filesystem::path> files) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice

#pragma GCC visibility pop

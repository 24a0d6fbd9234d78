#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "sluice/evaluation.h"
#include "sluice/lab/class_groups.h"
#include "sluice/lab/frontier.h"
#include "sluice/lab/run_folder.h"
#include "sluice/mixture.h"
#include "sluice/trainer.h"

#pragma GCC visibility push(default)

namespace sluice {

// Texts for a terminal of 80 columns. Nothing here prints; every text ends with a newline.

/// Summary of a model, as Keras's: layer (type), output shape, parameters, totals with sizes.
std::string summary_text(const Sequential& model);
/// Summary of a mixture: a line for each part, and the totals.
std::string summary_text(const Mixture& model);
/// Number of training and test images of each class, and whether the classes are balanced.
std::string distribution_text(const Examples& train, const Examples& test);
/// Confusion matrix: true classes in rows, predicted classes in columns, the recall at the right.
std::string confusion_text(const ConfusionMatrix& confusion);
/// Precision, recall and F1 of each class and their means, as scikit-learn's
/// classification_report().
std::string classification_text(const ConfusionMatrix& confusion);
/// For each layer of experts, the part of each class's images that each expert takes; empty without
/// such a layer.
std::string expert_use_text(const Evaluation& evaluation);
/// Time of each layer as a part of `seconds`: in seconds for one step, in milliseconds per step for
/// more. Layers below one percent are summed in one line.
std::string profile_text(const std::vector<LayerProfile>& profile, double seconds,
                         std::int64_t steps = 1);
/// Comparison of baseline and mixture, error budget of the mixture, controls, and verdict; of a run
/// without groups the figures of its network.
std::string comparison_text(const Results& results);

/// Tree of the classes by their similarity, and the errors that experts of the groups can mend.
std::string class_groups_text(const ClassConfusions& confusions,
                              const std::vector<Groups::Group>& groups);

/// Explanation of a mixture's prediction for one example: outputs of gate, baseline, expert and
/// importance model, and the mixture's most probable classes. Answers::frozen may be empty. Throws
/// Error (user) for an example that does not exist.
std::string explanation_text(const Answers& answers, std::size_t example);
/// Returns the explanation as an HTML page without other files; `name` is that of the image. Needs
/// Answers::frozen.
std::string explanation_html(const Answers& answers, const Examples& examples, std::size_t example,
                             const std::string& name);

/// Returns a report as an HTML page without other files: of one run, or of several side by side.
/// Throws Error (user) with the name of a run that is not finished. `before_each` is called before
/// each run is read; an exception from it ends the work.
std::string report_html(const std::vector<RunFolder>& runs,
                        const std::function<void()>& before_each = {});

/// Table of a frontier's points, and its verdict.
std::string frontier_text(const Frontier& frontier);
/// Returns the frontier as an HTML page without other files.
std::string frontier_html(const Frontier& frontier);

/// Draws PNG figures in a folder with gnuplot. Without gnuplot, available() is false and every call
/// does nothing. Throws Error (machine) if gnuplot fails.
class Figures {
 public:
  /// Makes the folder when the first figure is drawn.
  explicit Figures(std::filesystem::path folder);

  bool available() const { return available_; }

  /// Draws loss and accuracy over epochs, of training and validation: <name>.png
  void learning_curves(const std::string& name, const std::string& title,
                       const History& history) const;
  /// Draws a confusion matrix: a heat map of each row's rates, with counts in the cells.
  void confusion(const std::string& name, const std::string& title,
                 const ConfusionMatrix& confusion) const;
  /// Draws bars for the training and test images of each class.
  void distribution(const std::string& name, const std::string& title, const Examples& train,
                    const Examples& test) const;
  /// Draws a row of images for each class, with its name.
  void sample_images(const std::string& name, const std::string& title,
                     const Examples& examples) const;
  /// Draws the first eight images, and how a fit with this seed and stage sees them in its first
  /// eight epochs.
  void augmentation(const std::string& name, const std::string& title, const Examples& examples,
                    const Augmentation& options, std::uint64_t seed, std::uint32_t stage) const;
  /// Draws test accuracy over operations for an image, over latency and over training work.
  void frontier(const std::string& name, const Frontier& frontier) const;

 private:
  void draw(const std::string& name, const std::string& script) const;

  std::filesystem::path folder_;
  bool available_ = false;
};

}  // namespace sluice

#pragma GCC visibility pop

#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "sluice/evaluation.h"
#include "sluice/lab/run_folder.h"
#include "sluice/mixture.h"
#include "sluice/trainer.h"

namespace [[gnu::visibility("default")]] sluice {

// Text for a terminal of 80 columns. Nothing here prints; every text ends with a newline.

/// Keras's summary: layer (type), output shape, parameters, totals with sizes.
std::string summary_text(const Sequential& model);
/// One line for each part, and the totals.
std::string summary_text(const Mixture& model);
/// Counts per class of training and test images, and a word on balance.
std::string distribution_text(const Examples& train, const Examples& test);
/// True classes in rows, predicted ones in columns, the recall of each at the right.
std::string confusion_text(const ConfusionMatrix& confusion);
/// Precision, recall and F1 of each class and in the mean, as scikit-learn's
/// classification_report() has them.
std::string classification_text(const ConfusionMatrix& confusion);
/// Where `seconds` went, layer by layer: as seconds for one step, as milliseconds a step for more.
/// Layers below one percent are added up.
std::string profile_text(const std::vector<LayerProfile>& profile, double seconds,
                         std::int64_t steps = 1);
/// Baseline beside mixture, where the mixture's points went, controls, and the verdict.
std::string comparison_text(const Results& results);

/// How a mixture comes to its answer for one example: gate, baseline, expert, importances, and the
/// mixture's most probable classes. Answers::frozen may be empty. Throws Error (user) for an
/// example that there is not.
std::string explanation_text(const Answers& answers, std::size_t example);
/// The same as a page in HTML that needs nothing else; `name` is the picture's. Needs
/// Answers::frozen.
std::string explanation_html(const Answers& answers, const Examples& examples, std::size_t example,
                             const std::string& name);

/// A page in HTML that needs nothing else: of one run, or of several side by side. Throws Error
/// (user) for a run that did not finish, naming it. `before_each` is called before each run is
/// read; an exception from it ends the work.
std::string report_html(const std::vector<RunFolder>& runs,
                        const std::function<void()>& before_each = {});

/// Draws PNG pictures into a folder with gnuplot. Without gnuplot available() is false, every call
/// does nothing, and the caller says what is missing. Throws Error (machine) if gnuplot fails.
class Figures {
 public:
  /// Makes the folder when the first picture is drawn.
  explicit Figures(std::filesystem::path folder);

  bool available() const { return available_; }

  /// Loss beside accuracy over epochs, training and validation: <name>.png
  void learning_curves(const std::string& name, const std::string& title,
                       const History& history) const;
  /// A heat map of row rates with class names and counts in the cells.
  void confusion(const std::string& name, const std::string& title,
                 const ConfusionMatrix& confusion) const;
  /// Bars for training and test images of each class.
  void distribution(const std::string& name, const std::string& title, const Examples& train,
                    const Examples& test) const;
  /// A row of pictures for each class, its name beside it.
  void sample_images(const std::string& name, const std::string& title,
                     const Examples& examples) const;

 private:
  void draw(const std::string& name, const std::string& script) const;

  std::filesystem::path folder_;
  bool available_ = false;
};

}  // namespace sluice

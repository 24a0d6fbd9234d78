#pragma once

#include <string>
#include <vector>

#include "cli/progress.h"
#include "sluice/lab/lab.h"
#include "sluice/lab/report.h"
#include "sluice/lab/run_folder.h"

namespace sluice::cli {

/// One run of the lab: each stage trains a model, writes its files and prints its figures. A
/// resumed run continues from its checkpoints, does not train finished stages, and prints and
/// writes everything again. Data and groups must outlive it.
class LabRun {
 public:
  struct Extras {
    bool profile = false;      ///< tell where the time of each stage went
    bool tensorboard = false;  ///< write events for it
    int checkpoint_steps = 500;
  };

  LabRun(const Experiment& experiment, const Dataset& data, const Groups& groups, RunFolder folder,
         const Extras& extras);

  void run();

  const RunFolder& folder() const { return folder_; }
  /// Models whose files are complete.
  const std::vector<std::string>& kept() const { return kept_; }

 private:
  void begin_stage(const std::string& name, const std::string& what);
  void describe_data();
  void describe_stage(const std::string& name, const std::string& what, const Examples& train,
                      const Examples& test);

  TrainedModel train_baseline();
  TrainedModel train_expert(int group);
  TrainedModel train_gate();
  TrainedMixture train_mixture(const TrainedModel& baseline,
                               const std::vector<TrainedModel>& experts, const TrainedModel& gate);
  void train_controls(Answers& answers);
  struct Concluded {
    double latency_ms;
    std::vector<float> scores;  ///< for the test images
    std::vector<std::string> machines;
  };
  Concluded conclude_control(TrainedModel& trained);
  double latency_alone(TrainedModel& trained);
  void judge_mixture(TrainedModel& baseline, TrainedMixture& mixture);

  ModelResult conclude(TrainedModel& trained, const Examples& test);
  ModelResult conclude(const std::string& name, const History& history,
                       const std::vector<LayerProfile>& profile, const Cost& cost,
                       const Evaluation& test);
  CompileOptions for_one_image() const;
  Evaluation evaluate_alone(TrainedModel& trained, const Examples& test);
  void show_confusion(const std::string& file, const std::string& title, const Evaluation& test);
  void print_places();
  int stages() const;

  const Dataset& data_;
  const Groups& groups_;
  Lab lab_;
  RunFolder folder_;
  Figures figures_;
  Extras extras_;
  Checkpoints checkpoints_;
  KeptProgress progress_;
  Results results_;
  std::vector<std::string> kept_;
  int stage_ = 0;
};

}  // namespace sluice::cli

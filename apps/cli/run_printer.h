#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/progress.h"
#include "sluice/lab/run.h"
#include "sluice/process.h"

namespace sluice::cli {

/// Prints the progress of a run, and lets Ctrl-C stop it.
class RunPrinter : public RunObserver {
 public:
  enum class Detail {
    brief,    ///< for many runs: a line for each model
    usual,    ///< models, epochs and results
    profile,  ///< also the time of each layer in each stage
  };
  explicit RunPrinter(Detail detail) : detail_(detail) {}

  bool should_stop() override { return interrupted(); }
  DataEvents loading() override;
  void on_note(const std::string& line) override;
  void on_begin(const RunStart& start) override;
  void on_stage(const StageStart& start) override;
  void on_resumed(const FitState& state) override;
  void on_step(const Progress& progress) override { progress_.on_step(progress); }
  void on_running(const std::vector<Running>& all, double seconds_left) override;
  void on_epoch(const Progress& progress, const Epoch& epoch) override {
    if (!is_brief()) progress_.on_epoch(progress, epoch);
  }
  void on_model(const Stage& stage, const ModelResult& result,
                const std::vector<LayerProfile>& profile) override;
  void on_groups(const ClassConfusions& confusions,
                 const std::vector<Groups::Group>& groups) override;
  void on_results(const Results& results) override;

  /// Prints the files of a finished run.
  void print_places() const;
  /// Prints the state of an unfinished run, if it has a folder.
  void print_what_is_left(bool can_resume, const RunOptions& options) const;

 private:
  bool is_brief() const { return detail_ == Detail::brief; }

  Detail detail_;
  FitProgress progress_;
  std::string loaded_;  ///< what was said about the images
  std::optional<RunFolder> folder_;
  std::vector<std::string> kept_;         ///< models whose files are complete
  std::optional<GracefulStop> graceful_;  ///< exists when there is something to save
};

}  // namespace sluice::cli

#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/file_lock.h"
#include "sluice/dataset.h"
#include "sluice/lab/run_folder.h"
#include "sluice/trainer.h"

namespace sluice {

/// The states of a run's fits, from which it goes on after it was stopped: safetensors files in a
/// folder of the run, of each stage the last two. Held by one process at a time.
class Checkpoints {
 public:
  /// What a run must be resumed with to end as if it had never stopped.
  struct Setting {
    std::string experiment;  ///< settings_text()
    std::string data;        ///< check sum of its images and labels
    std::string machine;     ///< in words: what changes the rounding
  };
  static Setting setting(const Experiment& experiment, const Dataset& data);

  /// Makes the folder where it is missing. Throws Error (user) if another process has it.
  Checkpoints(const std::filesystem::path& folder, Setting setting);

  /// False where the file system has no locks: another process may train the same run.
  bool locked() const { return locked_; }

  /// Flushes it to the disk before it gets its name. Of a stage under way the last two are kept; of
  /// a finished one the weights alone.
  void write(const std::string& stage, const FitState& state);

  /// Gives `state`, that of a new fit, the stage's newest values; false if there are none. Tells
  /// `say` of damaged files, which it passes over, and of another machine. Throws Error (user) if
  /// they are of another experiment or other data.
  using Say = std::function<void(const std::string&)>;
  bool read(const std::string& stage, FitState& state, const Say& say);

  /// The machines, in words, that the stage was trained with: one, unless it was resumed elsewhere.
  const std::vector<std::string>& machines(const std::string& stage) { return machines_[stage]; }

  /// Deletes the folder of a run that has finished. What cannot be deleted is left: a network file
  /// system may keep the name of a file that was open.
  void remove();

 private:
  std::vector<std::filesystem::path> of_stage(const std::string& stage) const;

  std::filesystem::path folder_;
  Setting setting_;
  FileLock lock_;
  bool locked_;
  std::map<std::string, std::vector<std::string>> machines_;  ///< by stage
};

}  // namespace sluice

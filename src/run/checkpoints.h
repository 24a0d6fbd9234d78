#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/file_lock.h"
#include "sluice/dataset.h"
#include "sluice/lab/run_folder.h"
#include "sluice/trainer.h"

namespace sluice {

/// Checkpoints of a run: the states of its fits, as safetensors files in a folder of the run, the
/// last two of each stage. Only one process can hold them at a time. Fits of several stages may use
/// them at the same time.
class Checkpoints {
 public:
  /// Settings that a resumed run must have, to end like an uninterrupted one.
  struct Setting {
    std::string experiment;  ///< settings_text()
    std::string data;        ///< digest of its images and labels
    /// Describes all that affects rounding in a fit on the calling thread.
    std::function<std::string()> machine;
  };
  static Setting setting(const Experiment& experiment, const DataRecord& data);

  /// Makes the folder if it is missing. Throws Error (user) if another process holds it.
  Checkpoints(const std::filesystem::path& folder, Setting setting);

  /// Returns false if the file system has no locks: another process may train the same run.
  bool locked() const { return locked_; }

  /// Writes a checkpoint and flushes it to the disk before it gets its name. The last two of an
  /// unfinished stage are kept, and only the weights of a finished one.
  void write(const std::string& stage, const FitState& state);

  /// Overwrites `state`, that of a new fit, with the stage's newest checkpoint; returns false if
  /// there is none. Reports to `say` damaged files, which it skips, and another machine. Throws
  /// Error (user) for another experiment or other data.
  using Say = std::function<void(const std::string&)>;
  bool read(const std::string& stage, FitState& state, const Say& say);

  /// Descriptions of the machines that trained the stage: one, unless it was resumed on another.
  std::vector<std::string> machines(const std::string& stage);

  /// Deletes the folder of a finished run. Files that cannot be deleted stay: a network file system
  /// may keep the name of an open file.
  void remove();

 private:
  std::vector<std::filesystem::path> of_stage(const std::string& stage) const;
  void keep_machines(const std::string& stage, const std::vector<std::string>& machines);

  std::filesystem::path folder_;
  Setting setting_;
  FileLock lock_;
  bool locked_;
  std::mutex mutex_;                                          ///< guards the member below
  std::map<std::string, std::vector<std::string>> machines_;  ///< by stage
};

}  // namespace sluice

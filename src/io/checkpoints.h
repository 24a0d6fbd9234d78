#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/file_lock.h"
#include "sluice/dataset.h"
#include "sluice/trainer.h"

namespace sluice {

/// The states of a run's fits, from which it goes on after it was stopped: safetensors files in a
/// folder of the run, of each stage the last two. Held by one process at a time.
class Checkpoints {
 public:
  /// What a run must go on with to end as if it had never stopped.
  struct Setting {
    std::string data;     ///< check sum of its images and labels
    std::string machine;  ///< in words: threads and algorithms, which change the rounding
  };
  static Setting setting(const Dataset& data, Compute compute);

  /// Makes the folder where it is missing. Throws Error (user) if another process has it.
  Checkpoints(const std::filesystem::path& folder, Setting setting);

  /// Flushes it to the disk before it gets its name, and deletes the stage's last but two.
  void write(const std::string& stage, const FitState& state) const;

  /// Gives `state`, that of a new fit, the stage's newest values; false if there are none. Tells
  /// `say` of damaged files, which it passes over, and of another machine. Throws Error (user) if
  /// they are of other data.
  using Say = std::function<void(const std::string&)>;
  bool read(const std::string& stage, FitState& state, const Say& say) const;

  /// Of a run that has finished.
  void remove();

 private:
  std::vector<std::filesystem::path> of_stage(const std::string& stage) const;

  std::filesystem::path folder_;
  Setting setting_;
  FileLock lock_;
};

}  // namespace sluice

#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace sluice {

/// Limits for a function that runs in a child process.
struct Confinement {
  std::string tag;     ///< tag of each Error
  std::string place;   ///< name of the file in messages
  std::string reader;  ///< library that reads it: "HDF5"
  /// Memory in addition to what this process has at the call.
  std::uint64_t memory_bytes = 0;
  int processor_seconds = 0;
  std::uint64_t result_bytes = 0;
};

/// Calls `function` in a child process and returns its result. It protects from libraries that a
/// hostile file makes crash, loop or take all memory. The child may open and write no file, start
/// no process and leave no core. An Error in the child is thrown here. If the child dies or exceeds
/// a limit, an Error (user) names the place; if it cannot start, the Error is the machine's.
/// `function` must not use OpenMP: its threads do not exist after a fork.
std::string run_confined(const Confinement& limits, const std::function<std::string()>& function);

}  // namespace sluice

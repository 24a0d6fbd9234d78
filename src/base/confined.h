#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace sluice {

/// What a function may take that runs in a process of its own.
struct Confinement {
  std::string tag;     ///< of the Errors
  std::string place;   ///< the file that is read, as messages name it
  std::string reader;  ///< who reads it: "HDF5"
  /// Beyond what this process has when it is called.
  std::uint64_t memory_bytes = 0;
  int processor_seconds = 0;
  std::uint64_t result_bytes = 0;
};

/// Calls `function` in a child process and returns what it returned: for libraries that a hostile
/// file makes crash, loop or take all memory. The child may open and write no file, start no
/// process and leave no core. An Error it throws is thrown here. Dying, or taking more than
/// allowed, is an Error (user) that names the place; being unable to start is one of the machine.
/// `function` must not use OpenMP: after a fork its threads are not there.
std::string run_confined(const Confinement& limits, const std::function<std::string()>& function);

}  // namespace sluice

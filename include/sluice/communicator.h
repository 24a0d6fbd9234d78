#pragma once

#include <cstddef>
#include <span>

#pragma GCC visibility push(default)

namespace sluice {

/// Processes, called ranks as in MPI, that train one model together. All call the same functions in
/// the same order. One thread at a time may call it.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;  ///< from 0
  virtual int size() const = 0;  ///< number of ranks

  /// Sends bytes to another rank while it receives as many as that one sends in the same call.
  /// Throws Error if the other one ended, reported an error, or does not answer in time; the
  /// message names its host and number.
  virtual void exchange(int partner, std::span<const std::byte> send,
                        std::span<std::byte> receive) = 0;
};

}  // namespace sluice

#pragma GCC visibility pop

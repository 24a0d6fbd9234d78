#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace sluice {

/// Messages between the processes of a cluster, which are called ranks. Two ranks receive messages
/// of one tag in the order in which they were sent. No call waits but leave(). One thread at a time
/// may call it.
class Wire {
 public:
  /// Number of a message that is on its way.
  using Ticket = int;
  struct Waiting {
    int from;
    std::size_t bytes;
  };

  virtual ~Wire() = default;
  virtual int rank() const = 0;  ///< from 0
  virtual int size() const = 0;  ///< number of ranks
  virtual std::string host(int rank) const = 0;

  /// Starts to send or to receive at most 2^31 - 1 bytes, whose memory must stay until done().
  virtual Ticket send(int to, int tag, std::span<const std::byte> bytes) = 0;
  virtual Ticket receive(int from, int tag, std::span<std::byte> bytes) = 0;
  /// Whether a message arrived, or was sent. The ticket is invalid after true.
  virtual bool done(Ticket ticket) = 0;
  static constexpr int kAny = -1;
  /// A message of the tag, from that rank or any, that can be received without waiting.
  virtual std::optional<Waiting> waiting(int from, int tag) = 0;
  /// The last call, made by all ranks: waits for the others.
  virtual void leave() = 0;
};

}  // namespace sluice

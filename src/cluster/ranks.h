#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cluster/wire.h"
#include "sluice/error.h"
#include "sluice/process.h"

namespace sluice {

/// An error that another rank reported, which tells of it to the user.
class ReportedError : public Error {
 public:
  using Error::Error;
};

/// The ranks of a cluster. Waits for them, but not longer than a deadline, and not for a rank that
/// ended with an error: it reports its error to all, and each call of another rank that waits then
/// throws it as a ReportedError. Messages may be sent and received by several threads, each of
/// which receives from another rank.
class Ranks : public Communicator {
 public:
  using Seconds = std::chrono::duration<double>;

  Ranks(Wire& wire, Seconds deadline) : wire_(wire), deadline_(deadline), size_(wire.size()) {}

  int rank() const override { return wire_.rank(); }
  /// Of the ranks that train jointly: the first ones.
  int size() const override { return size_; }
  void use_first(int count) { size_ = count; }
  /// Of all.
  int count() const { return wire_.size(); }
  std::string host(int rank) const { return wire_.host(rank); }
  /// "rank 2 on host pluto"
  std::string name(int rank) const;

  void exchange(int partner, std::span<const std::byte> send,
                std::span<std::byte> receive) override;

  using Bytes = std::vector<std::byte>;
  /// Returns when the message is on its way.
  void send(int to, std::span<const std::byte> bytes);
  Bytes receive(int from);
  bool has_message(int from);
  /// Throws if the rank has been silent for longer than the deadline, or another has reported.
  void require_answer(int rank, double seconds_of_silence);
  /// Without a deadline, for a rank that has nothing to do before it gets the message.
  Bytes wait_for_message(int from);

  /// Tells all other ranks that this one ends with an error. Does not wait for them.
  void report(const Error& error) noexcept;
  /// The rank that did not answer until the deadline, of this or of the one that reported it; -1
  /// for none.
  int silent() const { return silent_; }

  // Figures of exchange().
  double seconds_waited() const { return seconds_; }
  /// The calling thread sends while others compute: its time in exchange() is not waited.
  static void send_beside_computation();
  std::size_t bytes_sent() const { return bytes_; }

 private:
  /// Uses the wire, which takes one thread at a time.
  template <class Use>
  auto with_wire(const Use& use);
  /// Until the deadline, and some seconds more.
  void wait(Wire::Ticket ticket, int partner, Seconds extra);
  void receive_piecewise(int from, int tag, std::span<std::byte> bytes, Seconds extra);
  Bytes receive_after(int from, Seconds extra);
  void send_piecewise(int to, int tag, std::span<const std::byte> bytes);
  void throw_reported();

  Wire& wire_;
  Seconds deadline_;
  int size_;
  std::mutex wire_mutex_;                ///< guards the wire, and the next two
  std::optional<ReportedError> report_;  ///< of another rank
  int silent_ = -1;
  std::mutex send_mutex_;  ///< keeps the parts of a message together
  double seconds_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace sluice

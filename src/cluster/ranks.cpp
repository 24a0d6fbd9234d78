#include "cluster/ranks.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <thread>

#include "base/fail.h"
#include "base/timer.h"

namespace sluice {

namespace {

enum Tag { kData = 1, kSize, kMessage, kReport };

constexpr char kUser = 'u';  ///< first letter of a report of a user's error
constexpr char kMachine = 'm';
constexpr std::size_t kPiece = std::size_t{1} << 30;  ///< bytes; MPI counts with int

thread_local bool is_beside_computation = false;

/// Looks often at first, because most answers come soon, and then leaves the processor to others.
class Pause {
 public:
  void rest() {
    constexpr int kTurns = 2000;
    constexpr std::chrono::microseconds kRest{100};
    if (turns_ < kTurns) {
      ++turns_;
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(kRest);
    }
  }

 private:
  int turns_ = 0;
};

/// Calls each(piece) for pieces that one message takes.
template <class Bytes, class Each>
void in_pieces(Bytes bytes, const Each& each) {
  for (std::size_t begin = 0; begin < bytes.size(); begin += kPiece) {
    each(bytes.subspan(begin, std::min(kPiece, bytes.size() - begin)));
  }
}

}  // namespace

std::string Ranks::name(int rank) const {
  return fmt::format("rank {} on host {}", rank, wire_.host(rank));
}

template <class Use>
auto Ranks::with_wire(const Use& use) {
  const std::scoped_lock lock(wire_mutex_);
  return use();
}

void Ranks::throw_reported() {
  with_wire([&] {
    if (report_) throw *report_;
    const std::optional<Wire::Waiting> report = wire_.waiting(Wire::kAny, kReport);
    if (!report) return;
    std::string text(report->bytes, '\0');
    const Wire::Ticket ticket =
        wire_.receive(report->from, kReport, std::as_writable_bytes(std::span(text)));
    while (!wire_.done(ticket)) std::this_thread::yield();
    const auto fault = text.front() == kUser ? Fault::user : Fault::machine;
    std::size_t what = 0;
    silent_ = std::stoi(text.substr(1), &what);
    const std::size_t tag = 1 + what + std::strlen(" [");
    const std::size_t message = text.find("] ", tag);
    report_.emplace(fault, text.substr(tag, message - tag), text.substr(message + 2));
    throw *report_;
  });
}

void Ranks::require_answer(int rank, double seconds_of_silence) {
  throw_reported();
  if (seconds_of_silence <= deadline_.count()) return;
  silent_ = rank;
  throw machine_error("cluster",
                      "{} has not answered for {:.3g} s: see whether it runs and can be reached, "
                      "and go on with --resume",
                      name(rank), deadline_.count());
}

void Ranks::wait(Wire::Ticket ticket, int partner, Seconds extra) {
  Pause pause;
  const Timer timer;
  while (!with_wire([&] { return wire_.done(ticket); })) {
    require_answer(partner, timer.seconds() - extra.count());
    pause.rest();
  }
}

void Ranks::receive_piecewise(int from, int tag, std::span<std::byte> bytes, Seconds extra) {
  in_pieces(bytes, [&](std::span<std::byte> piece) {
    wait(with_wire([&] { return wire_.receive(from, tag, piece); }), from, extra);
  });
}

void Ranks::send_piecewise(int to, int tag, std::span<const std::byte> bytes) {
  in_pieces(bytes, [&](std::span<const std::byte> piece) {
    wait(with_wire([&] { return wire_.send(to, tag, piece); }), to, Seconds(0));
  });
}

void Ranks::exchange(int partner, std::span<const std::byte> send, std::span<std::byte> receive) {
  // In a butterfly a rank waits for a partner that waits for a nearer one. The first to give up is
  // the one that knows which rank is silent.
  const Seconds extra(std::log2(rank() ^ partner));
  const Timer timer;
  std::vector<Wire::Ticket> sent;
  in_pieces(send, [&](std::span<const std::byte> piece) {
    sent.push_back(with_wire([&] { return wire_.send(partner, kData, piece); }));
  });
  receive_piecewise(partner, kData, receive, extra);
  for (const Wire::Ticket ticket : sent) wait(ticket, partner, extra);
  if (!is_beside_computation) seconds_ += timer.seconds();
  bytes_ += send.size();
}

void Ranks::send_beside_computation() {
  is_beside_computation = true;
}

void Ranks::send(int to, std::span<const std::byte> bytes) {
  throw_reported();
  const std::scoped_lock whole(send_mutex_);
  const std::uint64_t size = bytes.size();
  send_piecewise(to, kSize, std::as_bytes(std::span(&size, 1)));
  send_piecewise(to, kMessage, bytes);
}

bool Ranks::has_message(int from) {
  return with_wire([&] { return wire_.waiting(from, kSize).has_value(); });
}

Ranks::Bytes Ranks::receive_after(int from, Seconds extra) {
  std::uint64_t size = 0;
  receive_piecewise(from, kSize, std::as_writable_bytes(std::span(&size, 1)), extra);
  Bytes bytes(size);
  receive_piecewise(from, kMessage, bytes, Seconds(0));
  return bytes;
}

Ranks::Bytes Ranks::receive(int from) {
  return receive_after(from, Seconds(0));
}

Ranks::Bytes Ranks::wait_for_message(int from) {
  return receive_after(from, Seconds(std::numeric_limits<double>::infinity()));
}

void Ranks::report(const Error& error) noexcept {
  try {
    const char fault = error.fault() == Fault::user ? kUser : kMachine;
    const std::string what = error.what();
    const std::size_t message = what.find("] ") + 2;
    // Of a silent rank the message has the name.
    const std::string who = silent_ >= 0 ? "" : name(rank()) + ": ";
    const std::string text = fmt::format("{}{} {}{}{}", fault, silent_, what.substr(0, message),
                                         who, what.substr(message));
    std::vector<Wire::Ticket> sent;
    for (int rank = 0; rank < count(); ++rank) {
      if (rank == this->rank()) continue;
      sent.push_back(
          with_wire([&] { return wire_.send(rank, kReport, std::as_bytes(std::span(text))); }));
    }
    // A rank that hangs takes no message: the others have theirs soon.
    constexpr double kSoon = 1;  // seconds
    const Timer timer;
    for (const Wire::Ticket ticket : sent) {
      while (timer.seconds() < kSoon && !with_wire([&] { return wire_.done(ticket); })) {
        std::this_thread::yield();
      }
    }
  } catch (...) {  // this rank ends with the error that it reports
  }
}

}  // namespace sluice

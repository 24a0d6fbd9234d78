#pragma once

#include <algorithm>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "cluster/ranks.h"

namespace sluice {

/// Ranks that are threads of this process.
class ThreadRanks {
 public:
  /// Calls body(ranks) for so many ranks at the same time, and waits. Rethrows the error of the
  /// first that has one.
  template <class Body>
  static void run(int count, const Body& body, double deadline = 60) {
    for (const std::exception_ptr& error : errors_of(count, body, deadline)) {
      if (error) std::rethrow_exception(error);
    }
  }

  /// Likewise, and returns what each has thrown, as text; empty for nothing. A rank that throws an
  /// Error reports it.
  template <class Body>
  static std::vector<std::string> messages_of(int count, const Body& body, double deadline = 60) {
    std::vector<std::string> messages;
    for (const std::exception_ptr& error : errors_of(count, body, deadline)) {
      messages.emplace_back();
      try {
        if (error) std::rethrow_exception(error);
      } catch (const std::exception& caught) {
        messages.back() = caught.what();
      }
    }
    return messages;
  }

 private:
  using Bytes = std::vector<std::byte>;

  class ThreadWire : public Wire {
   public:
    ThreadWire(ThreadRanks& all, int rank) : all_(all), rank_(rank) {}
    int rank() const override { return rank_; }
    int size() const override { return all_.count_; }
    std::string host(int rank) const override {
      return std::string(1, static_cast<char>('a' + rank));
    }
    Ticket send(int to, int tag, std::span<const std::byte> bytes) override {
      const std::scoped_lock lock(all_.mutex_);
      all_.sent_[{rank_, to, tag}].emplace_back(bytes.begin(), bytes.end());
      return kSent;
    }
    Ticket receive(int from, int tag, std::span<std::byte> bytes) override {
      awaited_.push_back({from, tag, bytes});
      return static_cast<Ticket>(awaited_.size()) - 1;
    }
    bool done(Ticket ticket) override {
      if (ticket == kSent) return true;
      const Awaited& one = awaited_[static_cast<std::size_t>(ticket)];
      const std::scoped_lock lock(all_.mutex_);
      std::deque<Bytes>& messages = all_.sent_[{one.from, rank_, one.tag}];
      if (messages.empty()) return false;
      if (messages.front().size() != one.bytes.size()) throw std::logic_error("another size");
      std::ranges::copy(messages.front(), one.bytes.begin());
      messages.pop_front();
      return true;
    }
    std::optional<Waiting> waiting(int wanted, int tag) override {
      const std::scoped_lock lock(all_.mutex_);
      for (int from = 0; from < all_.count_; ++from) {
        if (wanted != kAny && wanted != from) continue;
        const std::deque<Bytes>& messages = all_.sent_[{from, rank_, tag}];
        if (!messages.empty()) return Waiting{from, messages.front().size()};
      }
      return {};
    }
    void leave() override {}

   private:
    static constexpr Ticket kSent = -1;
    struct Awaited {
      int from;
      int tag;
      std::span<std::byte> bytes;
    };

    ThreadRanks& all_;
    int rank_;
    std::vector<Awaited> awaited_;
  };

  explicit ThreadRanks(int count) : count_(count) {}

  template <class Body>
  static std::vector<std::exception_ptr> errors_of(int count, const Body& body, double deadline) {
    ThreadRanks all(count);
    std::vector<std::exception_ptr> errors(static_cast<std::size_t>(count));
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < count; ++rank) {
      threads.emplace_back([&, rank] {
        ThreadWire wire(all, rank);
        Ranks own(wire, Ranks::Seconds(deadline));
        try {
          body(own);
        } catch (const ReportedError&) {
          errors[static_cast<std::size_t>(rank)] = std::current_exception();
        } catch (const Error& error) {
          errors[static_cast<std::size_t>(rank)] = std::current_exception();
          own.report(error);
        } catch (...) {
          errors[static_cast<std::size_t>(rank)] = std::current_exception();
        }
      });
    }
    threads.clear();
    return errors;
  }

  int count_;
  std::mutex mutex_;
  std::map<std::tuple<int, int, int>, std::deque<Bytes>> sent_;  ///< from, to, tag
};

}  // namespace sluice

#pragma once

#include <unistd.h>

namespace sluice {

/// What open() gave, closed at the end of its life; negative if it failed.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  /// Closes it before the end of its life.
  void close() {
    if (value_ >= 0) ::close(value_);
    value_ = -1;
  }

  int get() const { return value_; }
  bool failed() const { return value_ < 0; }

 private:
  int value_;
};

}  // namespace sluice

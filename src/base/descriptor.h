#pragma once

#include <unistd.h>

namespace sluice {

/// A file descriptor from open(), closed by the destructor; negative if open() failed.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

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

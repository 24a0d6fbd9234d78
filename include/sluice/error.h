#pragma once

#include <stdexcept>
#include <string_view>

#pragma GCC visibility push(default)

namespace sluice {

/// Cause of an error: the user's mistake or the machine. The command line exits with 2 for `user`
/// and 1 for `machine`.
enum class Fault { user, machine };

/// The exception of all failures that Sluice reports. `what()` is one line, "[tag] what, where, how
/// to mend", for example
///   [cifar] train.bin has 1234 bytes, not a multiple of 3073: is this the binary version?
class Error : public std::runtime_error {
 public:
  Error(Fault fault, std::string_view tag, std::string_view message);

  Fault fault() const { return fault_; }

 private:
  Fault fault_;
};

}  // namespace sluice

#pragma GCC visibility pop

#pragma once

#include <stdexcept>
#include <string_view>

namespace [[gnu::visibility("default")]] sluice {

/// Whose mistake an error is. The command line exits with 2 for the user's and 1 for the rest.
enum class Fault { user, machine };

/// The only exception Sluice throws on purpose. `what()` is one line, "[tag] what, where, how to
/// mend", for example
///   [cifar] train.bin has 1234 bytes, not a multiple of 3073: is this the binary version?
class Error : public std::runtime_error {
 public:
  Error(Fault fault, std::string_view tag, std::string_view message);

  Fault fault() const { return fault_; }

 private:
  Fault fault_;
};

}  // namespace sluice

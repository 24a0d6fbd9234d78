#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sluice/model_file.h"

namespace sluice::cli {

/// What each output of models means; models that agree are told once.
class OutputNames {
 public:
  void add(const AnyModel& model);
  /// Prints "classes: 0 airplane, 1 automobile, ...", and for gates "groups: ...".
  void print() const;

 private:
  void add(const char* title, const std::vector<std::string>& names);

  std::vector<std::pair<std::string, std::vector<std::string>>> names_;
};

}  // namespace sluice::cli

#pragma once

#include "base/text.h"
#include "sluice/dataset.h"
#include "sluice/error.h"

namespace sluice {

/// Reports a problem that ends loading, unless problems are collected: then throws the error.
inline void report(const DataEvents& events, DataProblem::Kind kind, const Error& error) {
  if (!events.problem) throw Error(error);
  events.problem({kind, std::string(untagged(error))});
}

}  // namespace sluice

#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sluice/error.h"

namespace sluice {

/// Calls what should throw an Error of this fault, in one line, and gives its message back; an
/// empty one, and a failure of the test, where it does not.
template <class Call>
std::string error_of(Fault fault, const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    const std::string what = error.what();
    EXPECT_EQ(error.fault(), fault) << what;
    EXPECT_EQ(what.find('\n'), std::string::npos) << what;
    return what;
  } catch (const std::exception& error) {
    ADD_FAILURE() << "not an Error: " << error.what();
    return {};
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

}  // namespace sluice

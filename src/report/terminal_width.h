#pragma once

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "report/text.h"

namespace sluice {

/// Expects that a text fits a terminal and ends with a newline.
inline void expect_fits_a_terminal(const std::string& text) {
  ASSERT_FALSE(text.empty());
  EXPECT_EQ(text.back(), '\n');
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(display_width(line), kTextWidth) << line;
  }
}

}  // namespace sluice

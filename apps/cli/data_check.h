#pragma once

#include <string>

namespace sluice::cli {

/// Prints every problem of the data at a place, and what to do; with `all`, every file that has it.
/// Throws Error as load_data() does where no data set is found, and (user) at the end where
/// training refuses the data.
void check_data(const std::string& place, bool all);

}  // namespace sluice::cli

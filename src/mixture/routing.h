#pragma once

#include <span>
#include <vector>

namespace sluice {

/// Lists the rows of the gate's output (count, groups) by the group to which each is sent. This is
/// a pure function; `rows_of_group`, one list per group, keeps its memory between calls.
void route(std::span<const float> gate, std::vector<std::vector<int>>& rows_of_group);

}  // namespace sluice

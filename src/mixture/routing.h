#pragma once

#include <span>
#include <vector>

namespace sluice {

/// Lists the rows of the gate's output (count, groups) by the group each is sent to. A pure
/// function that needs no network; `rows_of_group`, one list a group, keeps its memory between
/// calls.
void route(std::span<const float> gate, std::vector<std::vector<int>>& rows_of_group);

}  // namespace sluice

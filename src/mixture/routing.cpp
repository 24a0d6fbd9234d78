#include "mixture/routing.h"

#include "base/fail.h"
#include "sluice/mixture.h"

namespace sluice {

int chosen_group(std::span<const float> gate_output) {
  if (gate_output.empty()) throw user_error("model", "a gate without outputs chooses no group");
  std::size_t best = 0;
  for (std::size_t g = 1; g < gate_output.size(); ++g) {
    if (gate_output[g] >= gate_output[best]) best = g;
  }
  return static_cast<int>(best);
}

void route(std::span<const float> gate, std::vector<std::vector<int>>& rows_of_group) {
  const std::size_t groups = rows_of_group.size();
  for (std::vector<int>& rows : rows_of_group) rows.clear();
  for (std::size_t row = 0; row * groups < gate.size(); ++row) {
    const int group = chosen_group(gate.subspan(row * groups, groups));
    rows_of_group[group].push_back(static_cast<int>(row));
  }
}

}  // namespace sluice

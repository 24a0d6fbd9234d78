#include "cluster/collective.h"

#include <vector>

#include "base/parallel.h"

namespace sluice {

void sum_over_ranks(Communicator& ranks, std::span<float> values) {
  std::vector<float> other(values.size());
  for (int distance = 1; distance < ranks.size(); distance *= 2) {
    ranks.exchange(ranks.rank() ^ distance, std::as_bytes(values),
                   std::as_writable_bytes(std::span(other)));
    parallel_for(values.size(), kGrainOfValues, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) values[i] += other[i];
    });
  }
}

void gather_from_ranks(Communicator& ranks, std::span<std::byte> all,
                       std::span<const std::size_t> places) {
  const auto own = static_cast<std::size_t>(ranks.rank());
  for (std::size_t distance = 1; distance < places.size() - 1; distance *= 2) {
    const auto of_group_with = [&](std::size_t rank) {
      const std::size_t first = rank / distance * distance;
      return all.subspan(places[first], places[first + distance] - places[first]);
    };
    const std::size_t partner = own ^ distance;
    ranks.exchange(static_cast<int>(partner), of_group_with(own), of_group_with(partner));
  }
}

}  // namespace sluice

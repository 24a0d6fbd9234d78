#pragma once

#include <cstddef>
#include <span>

#include "sluice/process.h"

namespace sluice {

// Both need a number of ranks that is a power of two, and exchange with rank ^ 1, rank ^ 2,
// rank ^ 4 and so on: a butterfly.

/// Replaces the values by their sums over all ranks. The order of the sums is that of a binary tree
/// over the ranks, so that a tree over parts within a rank and this one are together the tree over
/// all parts, however the parts are divided among ranks. Sums of two numbers do not depend on their
/// order, so all ranks get the same bits.
void sum_over_ranks(Communicator& ranks, std::span<float> values);

/// Gives every rank the bytes of all: those of a rank are between its and the next of `places`,
/// which has a place more than there are ranks.
void gather_from_ranks(Communicator& ranks, std::span<std::byte> all,
                       std::span<const std::size_t> places);

}  // namespace sluice

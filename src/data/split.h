#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Chooses the items that a share of each class splits off, such as for the test half. The SHA-256
/// of `purpose`, a line feed and an item's name decides, so that the choice is the same for every
/// seed, and more items do not move others. A class of two or more items keeps one and gives one.
std::vector<bool> split_off(std::span<const std::string> names, std::span<const int> labels,
                            double share, std::string_view purpose);

/// Returns the rows of a stratified sample of `wanted` items, in ascending order: each class has
/// its share, to one item, and the first ones of each class are taken. If `wanted` is enough for
/// that, each class has at least one. All rows if `wanted` is their number or more.
std::vector<std::size_t> stratified(std::span<const int> labels, std::size_t wanted);

}  // namespace sluice

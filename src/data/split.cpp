#include "data/split.h"

#include <algorithm>
#include <map>

#include "base/digest.h"

namespace sluice {

namespace {

/// Returns a number in [0, 1) that depends only on the texts: the first 32 bits of the digest.
double fraction_of(std::string_view purpose, std::string_view name) {
  Digest digest(Digest::Kind::sha256);
  digest.add(purpose);
  digest.add("\n");
  digest.add(name);
  constexpr double kRange = 4294967296;
  return static_cast<double>(std::stoul(digest.digits().substr(0, 8), nullptr, 16)) / kRange;
}

/// Places of one class in a split or a sample.
struct Quota {
  std::size_t available = 0;
  std::size_t taken = 0;
  double due = 0;

  double missing() const { return due - static_cast<double>(taken); }
};

}  // namespace

std::vector<bool> split_off(std::span<const std::string> names, std::span<const int> labels,
                            double share, std::string_view purpose) {
  struct Class {
    std::size_t size = 0;
    std::size_t split = 0;
    std::size_t first = 0;  ///< item with the least fraction
    std::size_t last = 0;   ///< and with the largest
  };
  std::vector<bool> is_off(names.size());
  std::vector<double> fractions(names.size());
  std::map<int, Class> classes;
  for (std::size_t i = 0; i < names.size(); ++i) {
    fractions[i] = fraction_of(purpose, names[i]);
    is_off[i] = fractions[i] < share;
    Class& its = classes[labels[i]];
    if (its.size++ == 0) its.first = its.last = i;
    its.split += is_off[i];
    if (fractions[i] < fractions[its.first]) its.first = i;
    if (fractions[i] > fractions[its.last]) its.last = i;
  }
  for (const auto& [label, each] : classes) {
    if (each.size < 2 || share <= 0 || share >= 1) continue;
    if (each.split == 0) is_off[each.first] = true;
    if (each.split == each.size) is_off[each.last] = false;
  }
  return is_off;
}

std::vector<std::size_t> stratified(std::span<const int> labels, std::size_t wanted) {
  std::map<int, Quota> quotas;
  for (const int label : labels) ++quotas[label].available;
  wanted = std::min(wanted, labels.size());
  const std::size_t least = wanted >= quotas.size() ? 1 : 0;
  std::size_t taken = 0;
  for (auto& [label, quota] : quotas) {
    quota.due = static_cast<double>(wanted) * static_cast<double>(quota.available) /
                static_cast<double>(labels.size());
    quota.taken = std::max(least, static_cast<std::size_t>(quota.due));
    taken += quota.taken;
  }
  const auto by_missing = [](const auto& a, const auto& b) {
    return a.second.missing() < b.second.missing();
  };
  for (; taken < wanted; ++taken) {
    ++std::max_element(quotas.begin(), quotas.end(), by_missing)->second.taken;
  }
  for (; taken > wanted; --taken) {  // rare classes have more than their share
    const auto most =
        std::min_element(quotas.begin(), quotas.end(), [&](const auto& a, const auto& b) {
          const bool a_can = a.second.taken > least;
          const bool b_can = b.second.taken > least;
          return a_can != b_can ? a_can : by_missing(a, b);
        });
    --most->second.taken;
  }
  std::vector<std::size_t> rows;
  rows.reserve(wanted);
  for (std::size_t row = 0; row < labels.size(); ++row) {
    Quota& quota = quotas[labels[row]];
    if (quota.taken == 0) continue;
    --quota.taken;
    rows.push_back(row);
  }
  return rows;
}

}  // namespace sluice

#include <numeric>

#include "sluice/evaluation.h"

namespace sluice {

ConfusionMatrix::ConfusionMatrix(std::vector<std::string> class_names)
    : class_names_(std::move(class_names)), counts_(class_names_.size() * class_names_.size()) {}

std::int64_t ConfusionMatrix::support(int truth) const {
  const auto row = counts_.begin() + static_cast<std::ptrdiff_t>(truth) * classes();
  return std::accumulate(row, row + classes(), std::int64_t{0});
}

std::int64_t ConfusionMatrix::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0});
}

double ConfusionMatrix::accuracy() const {
  std::int64_t right = 0;
  for (int c = 0; c < classes(); ++c) right += count(c, c);
  return total() == 0 ? 0 : static_cast<double>(right) / static_cast<double>(total());
}

}  // namespace sluice

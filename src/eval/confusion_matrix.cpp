#include <numeric>

#include "base/fail.h"
#include "sluice/evaluation.h"

namespace sluice {

ConfusionMatrix::ConfusionMatrix(std::vector<std::string> class_names)
    : class_names_(std::move(class_names)), counts_(class_names_.size() * class_names_.size()) {}

std::size_t ConfusionMatrix::cell(int truth, int prediction) const {
  for (const int label : {truth, prediction}) {
    if (label >= 0 && label < classes()) continue;
    throw user_error("evaluate", "there is no class {}: there are {}, from 0", label, classes());
  }
  return static_cast<std::size_t>(truth) * static_cast<std::size_t>(classes()) +
         static_cast<std::size_t>(prediction);
}

std::int64_t ConfusionMatrix::support(int truth) const {
  cell(truth, truth);
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

#include "data/batching.h"

#include <numeric>
#include <utility>

namespace sluice {

std::vector<std::uint32_t> in_order(std::size_t count) {
  std::vector<std::uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), 0u);
  return rows;
}

std::vector<std::uint32_t> permutation(std::size_t count, const RandomStream& random) {
  std::vector<std::uint32_t> rows = in_order(count);
  for (auto last = static_cast<std::uint32_t>(count); last > 1; --last) {
    std::swap(rows[last - 1], rows[RandomStream::below(random.bits(last)[0], last)]);
  }
  return rows;
}

std::size_t resize_batch(const Examples& examples, std::span<const std::uint32_t> rows,
                         Batch& batch) {
  const auto image = static_cast<std::size_t>(element_count(examples.shape()));
  batch.images.resize(rows.size() * image);
  batch.labels.resize(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) batch.labels[i] = examples.label(rows[i]);
  batch.weights.resize(examples.has_weights() ? rows.size() : 0);
  for (std::size_t i = 0; i < batch.weights.size(); ++i)
    batch.weights[i] = examples.weight(rows[i]);
  return image;
}

void fill_batch(const Examples& examples, std::span<const std::uint32_t> rows, Batch& batch) {
  const std::size_t image = resize_batch(examples, rows, batch);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    examples.copy_values(rows[i], std::span(batch.images).subspan(i * image, image));
  }
}

}  // namespace sluice

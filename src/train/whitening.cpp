#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "graph/weights.h"
#include "graph/wiring.h"
#include "sluice/trainer.h"
#include "train/first_values.h"

namespace sluice {

namespace {

constexpr double kAddedToEigenvalues = 5e-4;

/// Second moments of the patches of images, about 0. Images are summed in a fixed number of parts,
/// so that the bits do not depend on the number of threads.
class PatchMoments {
 public:
  PatchMoments(const Shape& image, const Shape& kernel)
      : image_(image),
        kernel_(kernel),
        size_(static_cast<std::size_t>(kernel[0] * kernel[1] * kernel[2])),
        sums_(kParts, std::vector<double>(size_ * size_)),
        patches_(kParts, std::vector<double>(size_)) {}

  void add(std::span<const float> images) {
    const auto values = static_cast<std::size_t>(element_count(image_));
    const std::size_t count = images.size() / values;
    images_ += count;
    parallel_for(kParts, 1, [&](std::size_t begin, std::size_t end) {
      for (std::size_t part = begin; part < end; ++part) {
        for (std::size_t i = part * count / kParts; i < (part + 1) * count / kParts; ++i) {
          add_image(images.data() + i * values, part);
        }
      }
    });
  }

  Eigen::MatrixXd mean() const {
    const auto size = static_cast<Eigen::Index>(size_);
    const double count = static_cast<double>(images_) * rows() * columns();
    Eigen::MatrixXd mean = Eigen::MatrixXd::Zero(size, size);
    for (const std::vector<double>& sums : sums_) {
      mean += Eigen::Map<const Eigen::MatrixXd>(sums.data(), size, size) / count;
    }
    return mean;
  }

 private:
  static constexpr std::size_t kParts = 16;

  int rows() const { return static_cast<int>(image_[0] - kernel_[0] + 1); }
  int columns() const { return static_cast<int>(image_[1] - kernel_[1] + 1); }

  void add_image(const float* image, std::size_t part) {
    const auto row = static_cast<std::size_t>(image_[1] * image_[2]);
    const auto of_patch = static_cast<std::size_t>(kernel_[1] * kernel_[2]);
    std::vector<double>& patch = patches_[part];
    std::vector<double>& sums = sums_[part];
    for (int y = 0; y < rows(); ++y) {
      for (int x = 0; x < columns(); ++x) {
        for (int line = 0; line < kernel_[0]; ++line) {
          std::copy_n(image + (y + line) * row + x * image_[2], of_patch,
                      patch.begin() + line * static_cast<std::ptrdiff_t>(of_patch));
        }
        for (std::size_t i = 0; i < size_; ++i) {
          for (std::size_t j = 0; j <= i; ++j) sums[j * size_ + i] += patch[i] * patch[j];
        }
      }
    }
  }

  Shape image_;
  Shape kernel_;
  std::size_t size_;
  std::vector<std::vector<double>> sums_;  ///< of each part; the lower triangle, by columns
  std::vector<std::vector<double>> patches_;
  std::size_t images_ = 0;
};

/// A kernel of {height, width, in, filters}: by falling eigenvalue the eigenvectors, each divided
/// by the root of its eigenvalue, and then their negatives. The sign of an eigenvector is free:
/// here its largest value is positive.
void fill_kernel(const Eigen::MatrixXd& moments, std::span<float> kernel) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(moments);
  const Eigen::Index size = moments.rows();
  for (Eigen::Index f = 0; f < size; ++f) {
    Eigen::VectorXd filter = solver.eigenvectors().col(size - 1 - f);
    Eigen::Index largest = 0;
    filter.cwiseAbs().maxCoeff(&largest);
    const double eigenvalue = std::max(solver.eigenvalues()[size - 1 - f], 0.0);
    filter *= (filter[largest] < 0 ? -1 : 1) / std::sqrt(eigenvalue + kAddedToEigenvalues);
    for (Eigen::Index i = 0; i < size; ++i) {
      float* const values = kernel.data() + i * 2 * size + f;
      values[0] = static_cast<float>(filter[i]);
      values[size] = -values[0];
    }
  }
}

}  // namespace

void whiten(const Sequential& model, const Examples& examples, Weights& weights) {
  const std::vector<LayerSummary> layers = summarize(model);
  for_each_kernel(model, weights, Initializer::whitening, [&](const auto& tensor, int source) {
    const Shape& input =
        source == kImages ? model.input : layers[static_cast<std::size_t>(source)].output;
    PatchMoments moments(input, tensor.shape);
    see_first_values(model, weights, source, examples,
                     [&](std::span<const float> values) { moments.add(values); });
    fill_kernel(moments.mean(), weights.values(tensor));
  });
}

}  // namespace sluice

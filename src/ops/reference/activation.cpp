#include <algorithm>
#include <cmath>

#include "ops/reference/reference.h"

namespace sluice::reference {

namespace {

// keras/src/activations/activations.py and keras/src/backend; selu's constants are those of
// Klambauer et al. 2017.
constexpr double kSeluAlpha = 1.6732632423543772848170429916717;
constexpr double kSeluScale = 1.0507009873554804934193349852946;

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

}  // namespace

double activation(const operation::Activate& activate, double x) {
  switch (activate.function) {
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::sigmoid:
      return sigmoid(x);
    case Activation::tanh:
      return std::tanh(x);
    case Activation::elu:
      return x > 0 ? x : activate.alpha * std::expm1(x);
    case Activation::selu:
      return kSeluScale * (x > 0 ? x : kSeluAlpha * std::expm1(x));
    case Activation::gelu:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case Activation::silu:
      return x * sigmoid(x);
    case Activation::leaky_relu:
      return x > 0 ? x : activate.alpha * x;
    case Activation::relu6:
      return std::clamp(x, 0.0, 6.0);
    case Activation::softplus:
      return std::log1p(std::exp(x));
    case Activation::softsign:
      return x / (1 + std::abs(x));
    case Activation::exponential:
      return std::exp(x);
    case Activation::hard_sigmoid:
      return std::clamp(x + 3, 0.0, 6.0) / 6;
    case Activation::hard_silu:
      return x * std::clamp(x + 3, 0.0, 6.0) / 6;
    case Activation::mish:
      return x * std::tanh(std::log1p(std::exp(x)));
    case Activation::linear:
    case Activation::softmax:  // not value by value: softmax()
      break;
  }
  return x;
}

double activation_slope(const operation::Activate& activate, double x) {
  const double s = sigmoid(x);
  switch (activate.function) {
    case Activation::relu:
      return x > 0 ? 1 : 0;
    case Activation::sigmoid:
      return s * (1 - s);
    case Activation::tanh:
      return 1 - std::tanh(x) * std::tanh(x);
    case Activation::elu:
      return x > 0 ? 1 : activate.alpha * std::exp(x);
    case Activation::selu:
      return kSeluScale * (x > 0 ? 1 : kSeluAlpha * std::exp(x));
    case Activation::gelu:
      return 0.5 * (1 + std::erf(x / std::sqrt(2.0))) +
             x * std::exp(-x * x / 2) / std::sqrt(2 * 3.14159265358979323846);
    case Activation::silu:
      return s * (1 + x * (1 - s));
    case Activation::leaky_relu:
      return x > 0 ? 1 : activate.alpha;
    case Activation::relu6:
      return x > 0 && x < 6 ? 1 : 0;
    case Activation::softplus:
      return s;
    case Activation::softsign:
      return 1 / ((1 + std::abs(x)) * (1 + std::abs(x)));
    case Activation::exponential:
      return std::exp(x);
    case Activation::hard_sigmoid:
      return x > -3 && x < 3 ? 1.0 / 6 : 0;
    case Activation::hard_silu:
      return x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5;
    case Activation::mish: {
      const double t = std::tanh(std::log1p(std::exp(x)));
      return t + x * (1 - t * t) * s;
    }
    case Activation::linear:
    case Activation::softmax:
      break;
  }
  return 1;
}

}  // namespace sluice::reference

#include "ops/reference/reference.h"

#include <algorithm>
#include <cmath>

namespace sluice::reference {

namespace {

/// Calls f(pixel of src or -1, place in the window, pixel of dst) for every place of every window.
template <class F>
void for_each_place(ImageShape s, const operation::Window& window, const F& f) {
  const int rows = (s.h + window.top + window.bottom - window.size.height) / window.strides.height;
  const int columns = (s.w + window.left + window.right - window.size.width) / window.strides.width;
  int dst = 0;
  for (int n = 0; n < s.n; ++n) {
    for (int y = 0; y <= rows; ++y) {
      for (int x = 0; x <= columns; ++x, ++dst) {
        for (int ky = 0; ky < window.size.height; ++ky) {
          for (int kx = 0; kx < window.size.width; ++kx) {
            const int sy = y * window.strides.height + ky - window.top;
            const int sx = x * window.strides.width + kx - window.left;
            const bool inside = sy >= 0 && sy < s.h && sx >= 0 && sx < s.w;
            f(inside ? (n * s.h + sy) * s.w + sx : -1, ky * window.size.width + kx, dst);
          }
        }
      }
    }
  }
}

std::size_t results(ImageShape s, const operation::Window& window) {
  int count = 0;
  for_each_place(s, window, [&](int, int, int dst) { count = dst + 1; });
  return static_cast<std::size_t>(count);
}

/// Calls f(src index, kernel index, dst index) for every product of a convolution.
template <class F>
void for_each_product(ImageShape s, const operation::Convolution& convolution, const F& f) {
  const int filters = convolution.filters;
  for_each_place(s, convolution.window, [&](int src, int place, int dst) {
    if (src < 0) return;
    for (int i = 0; i < s.c; ++i) {
      if (convolution.depthwise) {
        f(src * s.c + i, place * s.c + i, dst * s.c + i);
      } else {
        for (int o = 0; o < filters; ++o) {
          f(src * s.c + i, (place * s.c + i) * filters + o, dst * filters + o);
        }
      }
    }
  });
}

/// Calls f(src index, dst index, factor) for every value that a pool lets through.
template <class F>
void for_each_pooled(const Values& src, ImageShape s, const operation::Pooling& pooling,
                     const F& f) {
  const std::size_t windows = results(s, pooling.window);
  for (int c = 0; c < s.c; ++c) {
    std::vector<std::vector<int>> inside(windows);
    for_each_place(s, pooling.window, [&](int pixel, int, int dst) {
      if (pixel >= 0) inside[dst].push_back(pixel * s.c + c);
    });
    for (std::size_t dst = 0; dst < windows; ++dst) {
      const std::vector<int>& all = inside[dst];
      if (pooling.kind == operation::Pooling::Kind::average) {
        for (const int i : all) f(i, dst * s.c + c, 1.0 / static_cast<double>(all.size()));
      } else {
        f(*std::max_element(all.begin(), all.end(), [&](int a, int b) { return src[a] < src[b]; }),
          dst * s.c + c, 1.0);
      }
    }
  }
}

}  // namespace

Values conv2d(const Values& src, ImageShape shape, const Values& kernel, const Values& bias,
              const operation::Convolution& convolution) {
  Values dst(results(shape, convolution.window) * convolution.filters);
  if (!bias.empty()) {
    for (std::size_t i = 0; i < dst.size(); ++i) dst[i] = bias[i % bias.size()];
  }
  for_each_product(shape, convolution, [&](int s, int k, int d) { dst[d] += src[s] * kernel[k]; });
  return dst;
}

Conv2DGradients conv2d_backward(const Values& src, ImageShape shape, const Values& kernel,
                                const operation::Convolution& convolution, const Values& diff_dst) {
  Conv2DGradients g{Values(src.size()), Values(kernel.size()), Values(convolution.filters)};
  for_each_product(shape, convolution, [&](int s, int k, int d) {
    g.src[s] += kernel[k] * diff_dst[d];
    g.kernel[k] += src[s] * diff_dst[d];
  });
  for (std::size_t i = 0; i < diff_dst.size(); ++i) g.bias[i % g.bias.size()] += diff_dst[i];
  return g;
}

Values pooling2d(const Values& src, ImageShape shape, const operation::Pooling& pooling) {
  Values dst(results(shape, pooling.window) * shape.c);
  for_each_pooled(src, shape, pooling,
                  [&](int s, std::size_t d, double factor) { dst[d] += factor * src[s]; });
  return dst;
}

Values pooling2d_backward(const Values& src, ImageShape shape, const operation::Pooling& pooling,
                          const Values& diff_dst) {
  Values diff_src(src.size());
  for_each_pooled(src, shape, pooling, [&](int s, std::size_t d, double factor) {
    diff_src[s] += factor * diff_dst[d];
  });
  return diff_src;
}

void moments(const Values& src, std::size_t channels, Values& mean, Values& variance) {
  const double rows = static_cast<double>(src.size()) / static_cast<double>(channels);
  mean.assign(channels, 0);
  variance.assign(channels, 0);
  for (std::size_t i = 0; i < src.size(); ++i) mean[i % channels] += src[i] / rows;
  for (std::size_t i = 0; i < src.size(); ++i) {
    const double off = src[i] - mean[i % channels];
    variance[i % channels] += off * off / rows;
  }
}

Values batch_normalization(const Values& src, const Normalized& by) {
  const std::size_t channels = by.mean.size();
  Values dst(src.size());
  for (std::size_t i = 0; i < src.size(); ++i) {
    const std::size_t c = i % channels;
    dst[i] =
        (src[i] - by.mean[c]) / std::sqrt(by.variance[c] + by.epsilon) * by.gamma[c] + by.beta[c];
  }
  return dst;
}

NormalizedGradients batch_normalization_backward(const Values& src, const Normalized& by,
                                                 bool of_batch, const Values& diff_dst) {
  const std::size_t channels = by.mean.size();
  const double rows = static_cast<double>(src.size()) / static_cast<double>(channels);
  NormalizedGradients g{Values(src.size()), Values(channels), Values(channels)};
  const auto normalized = [&](std::size_t i) {
    const std::size_t c = i % channels;
    return (src[i] - by.mean[c]) / std::sqrt(by.variance[c] + by.epsilon);
  };
  for (std::size_t i = 0; i < src.size(); ++i) {
    g.gamma[i % channels] += diff_dst[i] * normalized(i);
    g.beta[i % channels] += diff_dst[i];
  }
  for (std::size_t i = 0; i < src.size(); ++i) {
    const std::size_t c = i % channels;
    double diff = diff_dst[i];
    if (of_batch) diff -= (g.beta[c] + normalized(i) * g.gamma[c]) / rows;
    g.src[i] = diff * by.gamma[c] / std::sqrt(by.variance[c] + by.epsilon);
  }
  return g;
}

namespace {

/// Calls f(src index, dst index) for every value of an image that gets zeros around.
template <class F>
void for_each_padded(ImageShape s, const operation::Pad& pad, const F& f) {
  const int rows = s.h + pad.top + pad.bottom;
  const int row = (s.w + pad.left + pad.right) * s.c;
  for (int n = 0; n < s.n; ++n) {
    for (int y = 0; y < s.h; ++y) {
      for (int x = 0; x < s.w * s.c; ++x) {
        f((n * s.h + y) * s.w * s.c + x, (n * rows + y + pad.top) * row + pad.left * s.c + x);
      }
    }
  }
}

}  // namespace

Values pad(const Values& src, ImageShape shape, const operation::Pad& pad) {
  Values dst(static_cast<std::size_t>(shape.n) * (shape.h + pad.top + pad.bottom) *
             (shape.w + pad.left + pad.right) * shape.c);
  for_each_padded(shape, pad, [&](int s, int d) { dst[d] = src[s]; });
  return dst;
}

Values pad_backward(ImageShape shape, const operation::Pad& pad, const Values& diff_dst) {
  Values diff_src(static_cast<std::size_t>(shape.n) * shape.h * shape.w * shape.c);
  for_each_padded(shape, pad, [&](int s, int d) { diff_src[s] = diff_dst[d]; });
  return diff_src;
}

Values dense(const Values& src, int n, const Values& kernel, int count, const Values& bias) {
  const auto units = static_cast<std::size_t>(count);
  const std::size_t in = src.size() / n;
  Values dst(n * units);
  for (int row = 0; row < n; ++row) {
    for (std::size_t o = 0; o < units; ++o) {
      double sum = bias.empty() ? 0 : bias[o];
      for (std::size_t i = 0; i < in; ++i) sum += src[row * in + i] * kernel[i * units + o];
      dst[row * units + o] = sum;
    }
  }
  return dst;
}

DenseGradients dense_backward(const Values& src, int n, const Values& kernel, int units,
                              const Values& diff_dst) {
  const std::size_t in = src.size() / n;
  DenseGradients g{Values(src.size()), Values(kernel.size()), Values(units)};
  for (int row = 0; row < n; ++row) {
    for (int o = 0; o < units; ++o) {
      const double diff = diff_dst[row * units + o];
      g.bias[o] += diff;
      for (std::size_t i = 0; i < in; ++i) {
        g.src[row * in + i] += kernel[i * units + o] * diff;
        g.kernel[i * units + o] += src[row * in + i] * diff;
      }
    }
  }
  return g;
}

Values relu(const Values& src) {
  Values dst(src);
  for (double& x : dst) x = std::max(x, 0.0);
  return dst;
}

Values relu_backward(const Values& dst, const Values& diff_dst) {
  Values diff_src(diff_dst);
  for (std::size_t i = 0; i < dst.size(); ++i) diff_src[i] *= dst[i] > 0 ? 1 : 0;
  return diff_src;
}

Values softmax(const Values& src, int classes) {
  Values dst(src.size());
  for (std::size_t first = 0; first < src.size(); first += classes) {
    double sum = 0;
    for (int c = 0; c < classes; ++c) sum += std::exp(src[first + c]);
    for (int c = 0; c < classes; ++c) dst[first + c] = std::exp(src[first + c]) / sum;
  }
  return dst;
}

Values softmax_backward(const Values& dst, int classes, const Values& diff_dst) {
  Values diff_src(dst.size());
  for (std::size_t first = 0; first < dst.size(); first += classes) {
    for (int i = 0; i < classes; ++i) {
      for (int j = 0; j < classes; ++j) {
        const double jacobian = dst[first + j] * ((i == j ? 1 : 0) - dst[first + i]);
        diff_src[first + i] += jacobian * diff_dst[first + j];
      }
    }
  }
  return diff_src;
}

Values dropout(const Values& src, const std::vector<std::uint8_t>& kept, double rate) {
  Values dst(src.size());
  for (std::size_t i = 0; i < src.size(); ++i) dst[i] = kept[i] != 0 ? src[i] / (1 - rate) : 0;
  return dst;
}

double cross_entropy(const Values& outputs, const std::vector<int>& labels) {
  const std::size_t classes = outputs.size() / labels.size();
  double total = 0;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    double sum = 0;
    for (std::size_t c = 0; c < classes; ++c) sum += outputs[n * classes + c];
    total -= std::log(std::clamp(outputs[n * classes + labels[n]] / sum, 1e-7, 1 - 1e-7));
  }
  return total;
}

void adam(Values& w, Values& m, Values& v, const Values& g, int t, double learning_rate,
          double beta_1, double beta_2, double epsilon) {
  const double a = learning_rate * std::sqrt(1 - std::pow(beta_2, t)) / (1 - std::pow(beta_1, t));
  for (std::size_t i = 0; i < w.size(); ++i) {
    m[i] += (g[i] - m[i]) * (1 - beta_1);
    v[i] += (g[i] * g[i] - v[i]) * (1 - beta_2);
    w[i] -= a * m[i] / (std::sqrt(v[i]) + epsilon);
  }
}

Values sum(const std::vector<Values>& src) {
  Values dst = src[0];
  for (std::size_t i = 1; i < src.size(); ++i) {
    for (std::size_t j = 0; j < dst.size(); ++j) dst[j] += src[i][j];
  }
  return dst;
}

Values product(const std::vector<Values>& src) {
  Values dst = src[0];
  for (std::size_t i = 1; i < src.size(); ++i) {
    for (std::size_t j = 0; j < dst.size(); ++j) dst[j] *= src[i][j];
  }
  return dst;
}

std::vector<Values> product_backward(const std::vector<Values>& src, const Values& diff_dst) {
  std::vector<Values> diffs;
  for (std::size_t i = 0; i < src.size(); ++i) {
    std::vector<Values> factors = src;
    factors[i] = diff_dst;
    diffs.push_back(product(factors));
  }
  return diffs;
}

Values concatenated(const std::vector<Values>& src, std::size_t rows) {
  Values dst;
  for (std::size_t row = 0; row < rows; ++row) {
    for (const Values& each : src) {
      const std::size_t width = each.size() / rows;
      for (std::size_t i = 0; i < width; ++i) dst.push_back(each[row * width + i]);
    }
  }
  return dst;
}

std::vector<Values> concatenated_backward(const std::vector<Values>& src, std::size_t rows,
                                          const Values& diff_dst) {
  std::vector<Values> diffs(src.size());
  std::size_t next = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t k = 0; k < src.size(); ++k) {
      for (std::size_t i = 0; i < src[k].size() / rows; ++i) diffs[k].push_back(diff_dst[next++]);
    }
  }
  return diffs;
}

}  // namespace sluice::reference

#include "ops/reference/reference.h"

#include <algorithm>
#include <cmath>

namespace sluice::reference {

namespace {

/// Calls f(src index, kernel index, dst index) for every product of a convolution.
template <class F>
void for_each_product(ImageShape s, int filters, int k, const F& f) {
  const int before = (k - 1) / 2;  // rows of padding above; an even kernel has one more below
  for (int n = 0; n < s.n; ++n) {
    for (int y = 0; y < s.h; ++y) {
      for (int x = 0; x < s.w; ++x) {
        for (int ky = 0; ky < k; ++ky) {
          for (int kx = 0; kx < k; ++kx) {
            const int sy = y + ky - before;
            const int sx = x + kx - before;
            if (sy < 0 || sy >= s.h || sx < 0 || sx >= s.w) continue;
            for (int i = 0; i < s.c; ++i) {
              for (int o = 0; o < filters; ++o) {
                f(((n * s.h + sy) * s.w + sx) * s.c + i, ((ky * k + kx) * s.c + i) * filters + o,
                  ((n * s.h + y) * s.w + x) * filters + o);
              }
            }
          }
        }
      }
    }
  }
}

/// Calls f(src index of the largest, dst index) for every window.
template <class F>
void for_each_maximum(const Values& src, ImageShape s, int pool, const F& f) {
  const int oh = s.h / pool;
  const int ow = s.w / pool;
  for (int n = 0; n < s.n; ++n) {
    for (int y = 0; y < oh; ++y) {
      for (int x = 0; x < ow; ++x) {
        for (int c = 0; c < s.c; ++c) {
          int best = -1;
          for (int py = 0; py < pool; ++py) {
            for (int px = 0; px < pool; ++px) {
              const int i = ((n * s.h + y * pool + py) * s.w + x * pool + px) * s.c + c;
              if (best < 0 || src[i] > src[best]) best = i;
            }
          }
          f(best, ((n * oh + y) * ow + x) * s.c + c);
        }
      }
    }
  }
}

}  // namespace

Values conv2d(const Values& src, ImageShape shape, const Values& kernel, const Values& bias,
              int kernel_size) {
  const int filters = static_cast<int>(bias.size());
  Values dst(static_cast<std::size_t>(shape.n) * shape.h * shape.w * filters);
  for (std::size_t i = 0; i < dst.size(); ++i) dst[i] = bias[i % filters];
  for_each_product(shape, filters, kernel_size,
                   [&](int s, int k, int d) { dst[d] += src[s] * kernel[k]; });
  return dst;
}

Conv2DGradients conv2d_backward(const Values& src, ImageShape shape, const Values& kernel,
                                int filters, int kernel_size, const Values& diff_dst) {
  Conv2DGradients g{Values(src.size()), Values(kernel.size()), Values(filters)};
  for_each_product(shape, filters, kernel_size, [&](int s, int k, int d) {
    g.src[s] += kernel[k] * diff_dst[d];
    g.kernel[k] += src[s] * diff_dst[d];
  });
  for (std::size_t i = 0; i < diff_dst.size(); ++i) g.bias[i % filters] += diff_dst[i];
  return g;
}

Values max_pooling2d(const Values& src, ImageShape shape, int pool) {
  Values dst(static_cast<std::size_t>(shape.n) * (shape.h / pool) * (shape.w / pool) * shape.c);
  for_each_maximum(src, shape, pool, [&](int s, int d) { dst[d] = src[s]; });
  return dst;
}

Values max_pooling2d_backward(const Values& src, ImageShape shape, int pool,
                              const Values& diff_dst) {
  Values diff_src(src.size());
  for_each_maximum(src, shape, pool, [&](int s, int d) { diff_src[s] += diff_dst[d]; });
  return diff_src;
}

Values dense(const Values& src, int n, const Values& kernel, const Values& bias) {
  const std::size_t units = bias.size();
  const std::size_t in = src.size() / n;
  Values dst(n * units);
  for (int row = 0; row < n; ++row) {
    for (std::size_t o = 0; o < units; ++o) {
      double sum = bias[o];
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

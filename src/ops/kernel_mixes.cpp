#include "ops/kernel_mixes.h"

#include "base/simd.h"

namespace sluice::ops {

namespace {

constexpr std::size_t kTogether = 8;  ///< images or kernels, for each of which there is a register

template <int kFloats, std::size_t kImages>
[[gnu::always_inline]] inline void mix_images(const Mixes& of, const float* weights,
                                              const float* kernels, std::size_t step,
                                              float* mixed) {
  using Vector = typename Floats<kFloats>::Vector;
  using Stored = typename Floats<kFloats>::Stored;
  for (std::size_t i = 0; i < of.size; i += kFloats) {
    Vector sums[kImages] = {};
    for (std::size_t k = 0; k < of.kernels; ++k) {
      const Vector kernel = *reinterpret_cast<const Stored*>(kernels + k * of.size + i);
      for (std::size_t n = 0; n < kImages; ++n) sums[n] += weights[n * of.kernels + k] * kernel;
    }
    for (std::size_t n = 0; n < kImages; ++n) {
      *reinterpret_cast<Stored*>(mixed + n * step + i) = sums[n];
    }
  }
}

template <int kFloats>
[[gnu::always_inline]] inline void mix_all(const Mixes& of, const float* weights,
                                           const float* kernels, std::size_t step, float* mixed) {
  std::size_t n = 0;
  for (; n + kTogether <= of.images; n += kTogether) {
    mix_images<kFloats, kTogether>(of, weights + n * of.kernels, kernels, step, mixed + n * step);
  }
  for (; n < of.images; ++n) {
    mix_images<kFloats, 1>(of, weights + n * of.kernels, kernels, step, mixed + n * step);
  }
}

/// For kernels from the given one on.
template <int kFloats, std::size_t kKernels>
[[gnu::always_inline]] inline void add_to_kernels(const Mixes& of, const float* weights,
                                                  const float* diff_mixed, float* sums) {
  using Vector = typename Floats<kFloats>::Vector;
  using Stored = typename Floats<kFloats>::Stored;
  for (std::size_t i = 0; i < of.size; i += kFloats) {
    Vector own[kKernels];
    for (std::size_t k = 0; k < kKernels; ++k) {
      own[k] = *reinterpret_cast<const Stored*>(sums + k * of.size + i);
    }
    for (std::size_t n = 0; n < of.images; ++n) {
      const Vector diff = *reinterpret_cast<const Stored*>(diff_mixed + n * of.size + i);
      for (std::size_t k = 0; k < kKernels; ++k) own[k] += weights[n * of.kernels + k] * diff;
    }
    for (std::size_t k = 0; k < kKernels; ++k) {
      *reinterpret_cast<Stored*>(sums + k * of.size + i) = own[k];
    }
  }
}

template <int kFloats, std::size_t kKernels>
[[gnu::always_inline]] inline void multiply_by_kernels(const Mixes& of, const float* diff_mixed,
                                                       const float* kernels, float* diff_weights) {
  using Vector = typename Floats<kFloats>::Vector;
  using Stored = typename Floats<kFloats>::Stored;
  for (std::size_t n = 0; n < of.images; ++n) {
    Vector sums[kKernels] = {};
    for (std::size_t i = 0; i < of.size; i += kFloats) {
      const Vector diff = *reinterpret_cast<const Stored*>(diff_mixed + n * of.size + i);
      for (std::size_t k = 0; k < kKernels; ++k) {
        const Vector kernel = *reinterpret_cast<const Stored*>(kernels + k * of.size + i);
        sums[k] += diff * kernel;
      }
    }
    for (std::size_t k = 0; k < kKernels; ++k) {
      float sum = 0;
      for (int lane = 0; lane < kFloats; ++lane) sum += sums[k][lane];
      diff_weights[n * of.kernels + k] = sum;
    }
  }
}

template <int kFloats>
[[gnu::always_inline]] inline void add_all(const Mixes& of, const float* weights,
                                           const float* diff_mixed, float* sums) {
  std::size_t k = 0;
  for (; k + kTogether <= of.kernels; k += kTogether) {
    add_to_kernels<kFloats, kTogether>(of, weights + k, diff_mixed, sums + k * of.size);
  }
  for (; k < of.kernels; ++k) {
    add_to_kernels<kFloats, 1>(of, weights + k, diff_mixed, sums + k * of.size);
  }
}

template <int kFloats>
[[gnu::always_inline]] inline void multiply_all(const Mixes& of, const float* diff_mixed,
                                                const float* kernels, float* diff_weights) {
  std::size_t k = 0;
  for (; k + kTogether <= of.kernels; k += kTogether) {
    multiply_by_kernels<kFloats, kTogether>(of, diff_mixed, kernels + k * of.size,
                                            diff_weights + k);
  }
  for (; k < of.kernels; ++k) {
    multiply_by_kernels<kFloats, 1>(of, diff_mixed, kernels + k * of.size, diff_weights + k);
  }
}

SLUICE_VECTORISED void mix_by_vectors(const Mixes& of, const float* weights, const float* kernels,
                                      std::size_t step, float* mixed) {
  if (most_floats() == 16) return mix_all<16>(of, weights, kernels, step, mixed);
  mix_all<8>(of, weights, kernels, step, mixed);
}

SLUICE_VECTORISED void add_by_vectors(const Mixes& of, const float* weights,
                                      const float* diff_mixed, float* sums) {
  if (most_floats() == 16) return add_all<16>(of, weights, diff_mixed, sums);
  add_all<8>(of, weights, diff_mixed, sums);
}

SLUICE_VECTORISED void multiply_by_vectors(const Mixes& of, const float* diff_mixed,
                                           const float* kernels, float* diff_weights) {
  if (most_floats() == 16) return multiply_all<16>(of, diff_mixed, kernels, diff_weights);
  multiply_all<8>(of, diff_mixed, kernels, diff_weights);
}

}  // namespace

void mix(const Mixes& of, const float* weights, const float* kernels, std::size_t step,
         float* mixed) {
  mix_by_vectors(of, weights, kernels, step, mixed);
}

void add_mix_gradients(const Mixes& of, const float* weights, const float* diff_mixed,
                       float* sums) {
  add_by_vectors(of, weights, diff_mixed, sums);
}

void mix_weight_gradients(const Mixes& of, const float* diff_mixed, const float* kernels,
                          float* diff_weights) {
  multiply_by_vectors(of, diff_mixed, kernels, diff_weights);
}

}  // namespace sluice::ops

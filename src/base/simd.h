#pragma once

namespace sluice {

#ifdef __x86_64__
inline bool has_avx512() {
  return __builtin_cpu_supports("avx512f");
}
inline bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
/// Number of floats of a vector that SLUICE_VECTORISED code keeps in one register.
inline int most_floats() {
  return has_avx512() ? 16 : has_avx2() ? 8 : 4;
}
#else
inline int most_floats() {
  return 4;
}
#endif

/// Vectors for code that must not leave the choice of registers to the compiler. They are arguments
/// of no function, which would have another ABI for each instruction set.
template <int kFloats>
struct Floats {
  using Vector __attribute__((vector_size(kFloats * sizeof(float)))) = float;
  /// A vector as stored among floats, without alignment, which it loses as an argument of a
  /// template.
  using Stored
      __attribute__((vector_size(kFloats * sizeof(float)), may_alias, aligned(sizeof(float)))) =
          float;
};

}  // namespace sluice

/// Compiles a function for each vector width and chooses at run time, so that the build needs no
/// -march. The function belongs in an unnamed namespace: GCC exports it from the library otherwise,
/// whatever its visibility. Sanitizers do not support this: the choice runs before they start.
#if defined(__x86_64__) && !defined(SLUICE_SANITIZED)
#define SLUICE_VECTORISED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SLUICE_VECTORISED
#endif

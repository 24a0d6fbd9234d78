#pragma once

#ifdef __x86_64__
namespace sluice {

inline bool has_avx512() {
  return __builtin_cpu_supports("avx512f");
}
inline bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

}  // namespace sluice
#endif

/// Compiles a function for each vector width and chooses at run time, so that the build needs no
/// -march. The function belongs in an unnamed namespace: GCC exports it from the library otherwise,
/// whatever its visibility. Sanitizers do not support this: the choice runs before they start.
#if defined(__x86_64__) && !defined(SLUICE_SANITIZED)
#define SLUICE_VECTORISED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SLUICE_VECTORISED
#endif

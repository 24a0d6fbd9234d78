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

/// Marks a loop's function to be compiled once for each vector width and chosen at run time, so
/// that the build needs no -march. Sanitizers cannot run the choosing (it comes before their
/// start).
#if defined(__x86_64__) && !defined(SLUICE_SANITIZED)
#define SLUICE_VECTORISED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SLUICE_VECTORISED
#endif

#pragma once

namespace sluice {

/// Computes output[c] = baseline[c] * importance[c][0] + expert[c] * importance[c][1] for one
/// image.
inline void sub_gate(const float* baseline, const float* expert, const float* importance,
                     int classes, float* output) {
  for (int c = 0; c < classes; ++c) {
    output[c] = baseline[c] * importance[2 * c] + expert[c] * importance[2 * c + 1];
  }
}

/// Computes the gradients of sum(output * diff) for the three inputs.
inline void sub_gate_backward(const float* baseline, const float* expert, const float* importance,
                              int classes, const float* diff, float* diff_baseline,
                              float* diff_expert, float* diff_importance) {
  for (int c = 0; c < classes; ++c) {
    diff_baseline[c] = diff[c] * importance[2 * c];
    diff_expert[c] = diff[c] * importance[2 * c + 1];
    diff_importance[2 * c] = diff[c] * baseline[c];
    diff_importance[2 * c + 1] = diff[c] * expert[c];
  }
}

}  // namespace sluice

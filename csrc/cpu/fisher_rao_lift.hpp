// The lift of a whitened pair of Gaussians to the symmetric space SO(n, n+1) / (SO(n) x SO(n+1)), one pair a lane.
//
// With a skew matrix K, the free coordinate of the lift, and mu, T and R of fisher_rao_whiten.hpp, the blocks
//     B = 1/2 [C R + R - T; sqrt2 m' R],    D = 1/2 (R + T - C R),    C = K - m m' / 2
// of the lift satisfy D' D = I + B' B. R is lower triangular, so that a far mean makes one column of them large. With
// B = U sinh(s/2) V2', D = V cosh(s/2) V2' the velocity is P = U s V', and
//     f(K) = 1/2 sum s_i^2,    f'(K) = (P_1 - P_1') / 2,    P_1 the first n rows of P.
// Where P_1 is symmetric the lift is horizontal: f = d^2, -P_1 is the velocity of the covariance and the last row of P
// over sqrt2 that of the mean.
//
// Sources: Eriksen 1987 for the group; docs/design/fisher-rao.md for the blocks.
#pragma once

#include <cmath>

#include "cpu/fisher_rao_whiten.hpp"

namespace geolatent {
namespace {
namespace geodesic {

// The stack [B; D] at the skew matrix `fibre`, column by column.
inline void lift(const Workspace& w, const R* fibre) {
  const int n = w.n, height = 2 * n + 1;
  for (int j = 0; j < n; ++j) {
    R* column = w.stack + j * height;
    for (int i = 0; i < n; ++i) {
      R shift{};  // of C R
      for (int k = j; k < n; ++k) shift += fibre[i * n + k] * w.inverse[k * n + j];
      if (i == 0 && j == 0) shift -= 0.5 * w.mean[0] * w.mean[0] * w.inverse[0];
      const R pivot = w.gap[i * n + j], sum = w.inverse[i * n + j] + w.triangle[i * n + j];
      column[i] = 0.5 * (pivot + shift);
      column[n + 1 + i] = 0.5 * (sum - shift);
    }
    column[n] = j == 0 ? w.mean[0] * w.inverse[0] * 0.70710678118654752440 : R{};
  }
}

// From the rotated stack: s, exp(s/2), V, P and the value f.
inline R spectrum(const Workspace& w) {
  const int n = w.n, height = 2 * n + 1;
  R value{};
  for (int i = 0; i < (n + 1) * n; ++i) w.velocity[i] = R{};
  for (int j = 0; j < n; ++j) {
    R *b = w.stack + j * height, *d = b + n + 1;
    const R sinh = root(dot<double>(b, b, n + 1));
    w.singular[j] = 2 * lane_by_lane(sinh, [](double x) { return std::asinh(x); });
    w.half[j] = sinh + root(1 + sinh * sinh);
    const R ratio = pick(sinh > 0, w.singular[j] / pick(sinh > 0, sinh, sinh + 1), sinh + 2);
    value += 0.5 * w.singular[j] * w.singular[j];
    // Rounding of the large columns of D has leaked into the small ones, which come later.
    for (int k = 0; k < j; ++k) {
      const R *before = w.stack + k * height + n + 1, along = dot<double>(before, d, n);
      for (int i = 0; i < n; ++i) d[i] -= along * before[i];
    }
    const R inverse = 1 / root(dot<double>(d, d, n));
    for (int i = 0; i < n; ++i) w.right[i * n + j] = d[i] *= inverse;
    for (int k = 0; k <= n; ++k) {
      const R scaled = b[k] * ratio;
      for (int i = 0; i < n; ++i) w.velocity[k * n + i] += scaled * d[i];
    }
  }
  return value;
}

}  // namespace geodesic
}  // namespace
}  // namespace geolatent

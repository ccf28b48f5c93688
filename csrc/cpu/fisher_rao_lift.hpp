// A pair of Gaussians in the coordinates of the Fisher-Rao solver, one pair a lane, and its lift to the symmetric space
// SO(n, n+1) / (SO(n) x SO(n+1)).
//
// Whitened by the first Gaussian and rotated, the pair is (0, I) and (m, diag(1 + e)). With a skew matrix K, the free
// coordinate of the lift, C = K - m m' / 2 and r = (1 + e)^(-1/2), the blocks
//     B = 1/2 [C - diag e; sqrt2 m'] diag r,    D = 1/2 (2 I + diag e - C) diag r
// of the lift satisfy D' D = I + B' B. With B = U sinh(s/2) V2', D = V cosh(s/2) V2' the velocity is P = U s V', and
//     f(K) = 1/2 sum s_i^2,    f'(K) = (P_1 - P_1') / 2,    P_1 the first n rows of P.
// Where P_1 is symmetric the lift is horizontal: f = d^2, -P_1 is the velocity of the covariance and the last row of P
// over sqrt2 that of the mean.
//
// Sources: Eriksen 1987 for the group; docs/design/fisher-rao.md for the blocks.
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>

#include "cpu/jacobi_svd.hpp"
#include "cpu/lanes.hpp"

namespace geolatent {
namespace {
namespace geodesic {

using R = V<double>;  // one number of every pair of the tile
using Mask = M<double>;

GEOLATENT_INLINE R pick(Mask mask, R yes, R no) { return mask ? yes : no; }

template <class F>
GEOLATENT_INLINE R lane_by_lane(R x, F f) {
  for (int l = 0; l < Lanes<double>::count; ++l) x[l] = f(x[l]);
  return x;
}

// Memory of a tile. Square matrices are row-major, the stack column by column.
struct Workspace {
  int n;
  R *whitener, *frame;                  // Cholesky factor of the first covariance; eigenvectors of the second, whitened
  R *mean, *excess, *shrink;            // m, e, r
  R *fibre, *trial, *best, *direction;  // K, the point tried next, the best minimiser, the Newton direction
  R *gradient, *residual, *conjugate, *image;
  R *stack;                             // columns of [B; D], later rotated
  R *left, *right, *singular, *half;    // U (n+1 x n+1), V, s, exp(s/2)
  R *minus, *plus, *last;               // (t/2) coth(t/2) at s_i - s_j, s_i + s_j and s_j
  R* midpoint;                          // covariance half way along
  R *velocity, *even;                   // P (n+1 x n), symmetric part of P_1
  R *scratch;                           // (n+1) x (n+1), twice

  static std::size_t size(int n) { return 15 * n * n + 3 * (n + 1) * (n + 1) + 2 * (n + 1) * (n + 1) + (n + 1) * n + 6 * n; }

  Workspace(R* memory, int dimension) : n(dimension) {
    const auto take = [&](int count) {
      R* at = memory;
      memory += count;
      return at;
    };
    const int square = n * n, larger = (n + 1) * (n + 1);
    for (R** matrix : {&whitener, &frame, &fibre, &trial, &best, &direction, &gradient, &residual, &conjugate, &image, &right,
                       &minus, &plus, &even, &midpoint})
      *matrix = take(square);
    for (R** vector : {&mean, &excess, &shrink, &singular, &half, &last}) *vector = take(n);
    left = take(larger);
    scratch = take(2 * larger);
    stack = take(2 * larger);
    velocity = take((n + 1) * n);
  }
};

// a = L L', in place, L below the diagonal and zeros above.
inline void cholesky(R* a, int n) {
  for (int j = 0; j < n; ++j) {
    for (int k = 0; k < j; ++k)
      for (int i = j; i < n; ++i) a[i * n + j] -= a[i * n + k] * a[j * n + k];
    const R pivot = root(a[j * n + j]);
    a[j * n + j] = pivot;
    for (int i = j + 1; i < n; ++i) a[i * n + j] /= pivot;
  }
  for (int i = 0; i < n; ++i)
    for (R *entry = a + i * n + i + 1, *end = a + (i + 1) * n; entry < end; ++entry) *entry = R{};
}

// x = L^-1 x for `columns` right-hand sides, x row-major.
inline void forward_substitute(const R* lower, R* x, int n, int columns) {
  for (int i = 0; i < n; ++i)
    for (int c = 0; c < columns; ++c) {
      R sum = x[i * columns + c];
      for (int k = 0; k < i; ++k) sum -= lower[i * n + k] * x[k * columns + c];
      x[i * columns + c] = sum / lower[i * n + i];
    }
}

inline void transpose_square(R* a, int n) {
  for (int i = 1; i < n; ++i)
    for (int j = 0; j < i; ++j) {
      const R upper = a[i * n + j];
      a[i * n + j] = a[j * n + i];
      a[j * n + i] = upper;
    }
}

// Spectrum of I + E = F F', n x n, from the difference E in the lanes of `near`, which is accurate however small it is,
// and from the factor F elsewhere. Leaves the eigenvectors in the lower half of the stack, the eigenvalues of E in
// `excess` and those of I + E in `values`.
inline void spectrum_of(const R* difference, const R* factor, Mask near, R* stack, R* excess, R* values, int n) {
  R shift{};
  for (int i = 0; i < n * n; ++i) shift += difference[i] * difference[i];
  shift = root(shift);
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < n; ++i) {
      const R entry = difference[i * n + j];
      stack[j * 2 * n + i] = pick(near, i == j ? entry + shift : entry, factor[j * n + i]);
      stack[j * 2 * n + n + i] = broadcast<double>(i == j);
    }
  orthogonalize<double>(stack, n, n, n);
  for (int j = 0; j < n; ++j) {
    const R *column = stack + j * 2 * n, *vector = column + n;
    R rayleigh{};
    for (int i = 0; i < n; ++i) rayleigh += vector[i] * dot<double>(difference + i * n, vector, n);
    const R square = dot<double>(column, column, n);
    excess[j] = pick(near, rayleigh, square - 1);
    values[j] = pick(near, 1 + rayleigh, square);
  }
}

inline R squared_norm(const R* x, int count) { return dot<double>(x, x, count); }

constexpr double near_square = 0.0625;  // of |E|

// Whitens and rotates. On entry `whitener` and `trial` hold the covariances, `mean` the difference of the means.
inline void whiten(const Workspace& w) {
  const int n = w.n;
  R *difference = w.scratch, *factor = w.trial;
  for (int i = 0; i < n * n; ++i) difference[i] = factor[i] - w.whitener[i];
  cholesky(w.whitener, n);
  cholesky(factor, n);
  forward_substitute(w.whitener, w.mean, n, 1);
  forward_substitute(w.whitener, factor, n, n);
  forward_substitute(w.whitener, difference, n, n);
  transpose_square(difference, n);
  forward_substitute(w.whitener, difference, n, n);
  spectrum_of(difference, factor, squared_norm(difference, n * n) < near_square, w.stack, w.excess, w.shrink, n);
  for (int j = 0; j < n; ++j) {
    const R* vector = w.stack + j * 2 * n + n;
    for (int i = 0; i < n; ++i) w.frame[i * n + j] = vector[i];
    w.last[j] = dot<double>(vector, w.mean, n);
    w.shrink[j] = 1 / root(w.shrink[j]);
  }
  for (int j = 0; j < n; ++j) w.mean[j] = w.last[j];
}

// The stack [B; D] at the skew matrix `fibre`, column by column.
inline void lift(const Workspace& w, const R* fibre) {
  const int n = w.n, height = 2 * n + 1;
  for (int j = 0; j < n; ++j) {
    R* column = w.stack + j * height;
    const R half = 0.5 * w.shrink[j];
    for (int i = 0; i < n; ++i) {
      const R c = fibre[i * n + j] - 0.5 * w.mean[i] * w.mean[j];
      column[i] = half * (i == j ? c - w.excess[j] : c);
      column[n + 1 + i] = half * (i == j ? 2 + w.excess[j] - c : -c);
    }
    column[n] = w.mean[j] * w.shrink[j] * 0.70710678118654752440;
  }
}

// From the rotated stack: s, exp(s/2), V, P and the value f.
inline R spectrum(const Workspace& w) {
  const int n = w.n, height = 2 * n + 1;
  R value{};
  for (int i = 0; i < (n + 1) * n; ++i) w.velocity[i] = R{};
  for (int j = 0; j < n; ++j) {
    const R *b = w.stack + j * height, *d = b + n + 1;
    const R sinh = root(dot<double>(b, b, n + 1)), cosh = root(dot<double>(d, d, n));
    w.singular[j] = 2 * lane_by_lane(sinh, [](double x) { return std::asinh(x); });
    w.half[j] = sinh + root(1 + sinh * sinh);
    const R ratio = pick(sinh > 0, w.singular[j] / pick(sinh > 0, sinh, sinh + 1), sinh + 2);
    const R inverse = 1 / cosh;
    value += 0.5 * w.singular[j] * w.singular[j];
    for (int i = 0; i < n; ++i) w.right[i * n + j] = d[i] * inverse;
    for (int k = 0; k <= n; ++k) {
      const R scaled = b[k] * ratio;
      for (int i = 0; i < n; ++i) w.velocity[k * n + i] += scaled * w.right[i * n + j];
    }
  }
  return value;
}

}  // namespace geodesic
}  // namespace
}  // namespace geolatent

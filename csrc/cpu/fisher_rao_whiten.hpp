// A pair of Gaussians brought to the coordinates of the Fisher-Rao solver, one pair a lane; the memory of a tile.
//
// Whitened by the first Gaussian and reflected, the pair is (0, I) and (m, S) with m = mu e_1. S = T T', T upper
// triangular, and R = T^-T is lower triangular.
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
  R *whitener, *frame;                  // Cholesky factor of the first covariance; the reflection, later both together
  R *triangle, *inverse, *gap;          // T, R = T^-T and R - T
  R *mean, *excess, *values, *turning;  // m, of which mu alone is not zero; eigenvalues of S - I and S; (log S) e_1 mu^2
  R *fibre, *trial, *best, *direction;  // K, the point tried next, the best minimiser, the Newton direction
  R *gradient, *residual, *conjugate, *image;
  R *stack;                             // columns of [B; D], later rotated
  R *left, *right, *singular, *half;    // U (n+1 x n+1), V, s, exp(s/2)
  R *minus, *plus, *last;               // (t/2) coth(t/2) at s_i - s_j, s_i + s_j and s_j
  R* midpoint;                          // covariance half way along
  R *velocity, *even;                   // P (n+1 x n), symmetric part of P_1
  R *scratch;                           // (n+1) x (n+1), twice

  static std::size_t size(int n) { return 18 * n * n + 5 * (n + 1) * (n + 1) + (n + 1) * n + 7 * n; }

  Workspace(R* memory, int dimension) : n(dimension) {
    const auto take = [&](int count) {
      R* at = memory;
      memory += count;
      return at;
    };
    const int square = n * n, larger = (n + 1) * (n + 1);
    for (R** matrix : {&whitener, &frame, &triangle, &inverse, &gap, &fibre, &trial, &best, &direction, &gradient, &residual,
                       &conjugate, &image, &right, &minus, &plus, &even, &midpoint})
      *matrix = take(square);
    for (R** vector : {&mean, &excess, &values, &turning, &singular, &half, &last}) *vector = take(n);
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

// out (rows x columns) = a (rows x inner) b (inner x columns), row-major, a's rows `stride` apart.
inline void multiply(const R* a, int stride, const R* b, R* out, int rows, int inner, int columns) {
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) {
      R sum{};
      for (int k = 0; k < inner; ++k) sum += a[i * stride + k] * b[k * columns + j];
      out[i * columns + j] = sum;
    }
}

constexpr double near_square = 0.0625;  // of |E|

// The reflection H that takes the mean to a multiple of the first unit vector, into `frame`; the mean goes along.
inline void reflect_mean(const Workspace& w) {
  const int n = w.n;
  R largest{}, square{}, tail{};  // scaled by the largest entry, so that squares of tiny means do not vanish
  for (int i = 0; i < n; ++i) largest = larger<double>(largest, magnitude<double>(w.mean[i]));
  const R scale = pick(largest > 0, largest, R{} + 1);
  for (int i = 0; i < n; ++i) {
    w.last[i] = w.mean[i] / scale;
    square += w.last[i] * w.last[i];
    if (i > 0) tail += w.last[i] * w.last[i];
  }
  const R length = pick(w.last[0] < 0, root(square), -root(square));
  const Mask turned = tail > 0;
  const R factor = pick(turned, 1 / pick(turned, square - length * w.last[0], square + 1), R{});
  w.last[0] -= length;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      const R entry = factor * w.last[i] * w.last[j];
      w.frame[i * n + j] = i == j ? 1 - entry : -entry;
    }
  w.mean[0] = pick(turned, length * scale, w.mean[0]);
  for (int i = 1; i < n; ++i) w.mean[i] = pick(square == square, R{}, square);
}

// Upper triangular T with T T' = a a', by the modified Gram-Schmidt process on the rows of a from the last one on.
inline void triangularize(R* a, R* triangle, int n) {
  for (int i = 0; i < n * n; ++i) triangle[i] = R{};
  for (int i = n - 1; i >= 0; --i) {
    R* row = a + i * n;
    const R norm = root(dot<double>(row, row, n));
    triangle[i * n + i] = norm;
    for (int k = 0; k < n; ++k) row[k] /= norm;
    for (int above = 0; above < i; ++above) {
      const R along = dot<double>(a + above * n, row, n);
      triangle[above * n + i] = along;
      for (int k = 0; k < n; ++k) a[above * n + k] -= along * row[k];
    }
  }
}

// Whitens and reflects. On entry `whitener` and `trial` hold the covariances, `mean` the difference of the means.
// Leaves S - I in `image`, where the lower bound finds it.
inline void whiten(const Workspace& w) {
  const int n = w.n;
  R *difference = w.image, *factor = w.trial, *half = w.scratch;
  for (int i = 0; i < n * n; ++i) difference[i] = factor[i] - w.whitener[i];
  cholesky(w.whitener, n);
  cholesky(factor, n);
  forward_substitute(w.whitener, w.mean, n, 1);
  forward_substitute(w.whitener, factor, n, n);
  forward_substitute(w.whitener, difference, n, n);
  transpose_square(difference, n);
  forward_substitute(w.whitener, difference, n, n);
  reflect_mean(w);
  multiply(w.frame, n, difference, half, n, n, n);
  multiply(half, n, w.frame, difference, n, n, n);
  multiply(w.frame, n, factor, half, n, n, n);
  triangularize(half, w.triangle, n);

  R *transposed = w.scratch, *inverse = w.inverse;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      transposed[i * n + j] = w.triangle[j * n + i];
      inverse[i * n + j] = broadcast<double>(i == j);
    }
  forward_substitute(transposed, inverse, n, n);
  const Mask near = squared_norm(difference, n * n) < near_square;
  multiply(difference, n, inverse, w.gap, n, n, n);
  for (int i = 0; i < n * n; ++i) w.gap[i] = pick(near, -w.gap[i], inverse[i] - w.triangle[i]);

  spectrum_of(difference, w.triangle, near, w.stack, w.excess, w.values, n);
  for (int i = 0; i < n; ++i) w.turning[i] = R{};
  for (int j = 0; j < n; ++j) {
    const R *vector = w.stack + j * 2 * n + n, log = lane_by_lane(w.values[j], [](double x) { return std::log(x); });
    for (int i = 0; i < n; ++i) w.turning[i] += log * vector[i] * vector[0] * w.mean[0] * w.mean[0];
  }
  multiply(w.whitener, n, w.frame, w.scratch, n, n, n);
  for (int i = 0; i < n * n; ++i) w.frame[i] = w.scratch[i];
}

}  // namespace geodesic
}  // namespace
}  // namespace geolatent

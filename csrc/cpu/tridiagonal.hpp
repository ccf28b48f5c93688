// From a tile of symmetric matrices, of which the lower triangle is read, to tridiagonal ones and back to their basis.
// Source: Golub & Van Loan, Matrix Computations, 8.3.1 and 5.1.6.
#pragma once

#include "cpu/hessenberg.hpp"
#include "cpu/lanes.hpp"

namespace geolatent {
namespace {

// Brings every lane to unit size, the lower triangle alone; `scale` multiplies the eigenvalues back. Returns the lanes
// that hold NaN or infinity there; they are set to zero.
template <class T>
M<T> normalize_triangle(V<T>* a, int n, int stride, V<T>& scale) {
  Extent<T> extent{};
  for (int i = 0; i < n; ++i)
    for (int j = 0; j <= i; ++j) {
      extent.top = larger<T>(extent.top, magnitude<T>(a[i * stride + j]));
      extent.finite += a[i * stride + j] * T(0);
    }
  const V<T> inverse = to_unit_size<T>(extent.top, scale);
  const M<T> bad = extent.finite != V<T>{};
  for (int i = 0; i < n; ++i)
    for (int j = 0; j <= i; ++j) a[i * stride + j] = bad ? V<T>{} : a[i * stride + j] * inverse;
  return bad;
}

// The vectors of one two-sided reflection A <- A - v w' - w v'.
template <class T>
struct SymmetricRankTwo {
  V<T>*v, *w;
};

// Over R rows from i and their columns from `from` to the diagonal: subtracts `old` and multiplies by the next vector v',
// w' = A v'. The rows above come first.
template <class T, int R>
inline void triangle_pass(V<T>* a, int stride, int i, int from, const SymmetricRankTwo<T>& old,
                          const SymmetricRankTwo<T>& next) {
  V<T> v[R], w[R], u[R], sum[R];
  for (int r = 0; r < R; ++r) {
    v[r] = old.v[i + r];
    w[r] = old.w[i + r];
    u[r] = next.v[i + r];
    sum[r] = V<T>{};
  }
  for (int j = from; j < i; ++j) {
    const V<T> vj = old.v[j], wj = old.w[j], uj = next.v[j];
    V<T> product = next.w[j];
    for (int r = 0; r < R; ++r) {
      V<T> x = a[(i + r) * stride + j];
      x -= v[r] * wj;
      x -= w[r] * vj;
      a[(i + r) * stride + j] = x;
      sum[r] += x * uj;
      product += x * u[r];
    }
    next.w[j] = product;
  }
  for (int r = 0; r < R; ++r)
    for (int s = 0; s <= r; ++s) {
      V<T> x = a[(i + r) * stride + i + s];
      x -= v[r] * w[s];
      x -= w[r] * v[s];
      a[(i + r) * stride + i + s] = x;
      sum[r] += x * u[s];
      if (s < r) sum[s] += x * u[r];
    }
  for (int r = 0; r < R; ++r) next.w[i + r] = sum[r];
}

// Reduces to the diagonal d[0 .. n-1] and the subdiagonal e[0 .. n-2], e[n-1] = 0. Column k of the tile keeps the vector
// of its reflector I - t[k] v v', v[k+1] = 1. `work`: 4 n registers.
template <class T>
void tridiagonalize(V<T>* a, int n, int stride, V<T>* d, V<T>* e, V<T>* t, V<T>* work) {
  constexpr int R = GEOLATENT_BYTES == 64 ? 4 : 2;
  SymmetricRankTwo<T> old{work, work + n}, next{work + 2 * n, work + 3 * n};
  for (int i = 0; i < 4 * n; ++i) work[i] = V<T>{};
  for (int k = 0; k < n; ++k) {
    for (int i = k; i < n; ++i) a[i * stride + k] -= old.v[i] * old.w[k] + old.w[i] * old.v[k];
    d[k] = a[k * stride + k];
    e[k] = k + 1 < n ? a[(k + 1) * stride + k] : V<T>{};
    if (k + 2 >= n) continue;
    t[k] = householder<T>(a, n, stride, k, next.v);
    e[k] = a[(k + 1) * stride + k];
    for (int i = k + 1; i < n; ++i) a[i * stride + k] = next.v[i];
    int i = k + 1;
    for (; i + R <= n; i += R) triangle_pass<T, R>(a, stride, i, k + 1, old, next);
    for (; i < n; ++i) triangle_pass<T, 1>(a, stride, i, k + 1, old, next);
    const V<T> half = T(0.5) * t[k] * t[k] * dot<T>(next.w + k + 1, next.v + k + 1, 1, n - k - 1);
    for (int j = k + 1; j < n; ++j) next.w[j] = t[k] * next.w[j] - half * next.v[j];
    next.w[k] = V<T>{};
    const SymmetricRankTwo<T> done = old;
    old = next;
    next = done;
  }
}

// Reflects R rows of the tile, from the columns `from` on: x <- x - t (x v) v'.
template <class T, int R>
inline void reflect_rows(V<T>* rows, int n, int stride, int from, V<T> t, const V<T>* v) {
  V<T> sum[R];
  for (int r = 0; r < R; ++r) sum[r] = V<T>{};
  for (int j = from; j < n; ++j)
    for (int r = 0; r < R; ++r) sum[r] += rows[r * stride + j] * v[j];
  for (int r = 0; r < R; ++r) sum[r] *= t;
  for (int j = from; j < n; ++j)
    for (int r = 0; r < R; ++r) rows[r * stride + j] -= sum[r] * v[j];
}

// The tile becomes Q', Q the product of the reflectors that it holds: A = Q T Q'. `v`: n registers.
template <class T>
void accumulate_reflectors(V<T>* a, int n, int stride, const V<T>* t, V<T>* v) {
  constexpr int R = 4;
  const V<T> zero{}, one = broadcast<T>(T(1));
  for (int k = n - 1; k >= 0; --k) {  // the block from row and column k on, a reflector begins there
    const bool reflected = k > 0 && k + 1 < n;
    for (int i = k; reflected && i < n; ++i) v[i] = a[i * stride + k - 1];
    for (int i = k; i < n; ++i) a[i * stride + k] = a[k * stride + i] = zero;
    a[k * stride + k] = one;
    if (!reflected) continue;
    int i = k;
    for (; i + R <= n; i += R) reflect_rows<T, R>(a + i * stride, n, stride, k, t[k - 1], v);
    for (; i < n; ++i) reflect_rows<T, 1>(a + i * stride, n, stride, k, t[k - 1], v);
  }
}

}  // namespace
}  // namespace geolatent

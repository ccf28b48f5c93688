// From a tile of n x m matrices, n <= m, to lower bidiagonal ones of the same singular values.
// Source: Golub & Van Loan, Matrix Computations, 5.4.8.
#pragma once

#include "cpu/hessenberg.hpp"
#include "cpu/lanes.hpp"
#include "cpu/tridiagonal.hpp"

namespace geolatent {
namespace {

// w' = v' A over R rows, added to what w holds.
template <class T, int R>
inline void add_rows(const V<T>* rows, int m, int from, const V<T>* v, V<T>* w) {
  for (int j = from; j < m; ++j) {
    V<T> sum = w[j];
    for (int r = 0; r < R; ++r) sum += rows[r * m + j] * v[r];
    w[j] = sum;
  }
}

template <class T, int R>
inline void subtract_from_rows(V<T>* rows, int m, int from, const V<T>* v, const V<T>* w) {
  for (int j = from; j < m; ++j)
    for (int r = 0; r < R; ++r) rows[r * m + j] -= v[r] * w[j];
}

// Reflects the columns of the rows from `top` on: A <- A - t v (v' A).
template <class T>
void reflect_columns(V<T>* a, int n, int m, int top, int from, V<T> t, const V<T>* v, V<T>* w) {
  constexpr int R = 4;
  for (int j = from; j < m; ++j) w[j] = V<T>{};
  int i = top;
  for (; i + R <= n; i += R) add_rows<T, R>(a + i * m, m, from, v + i, w);
  for (; i < n; ++i) add_rows<T, 1>(a + i * m, m, from, v + i, w);
  for (int j = from; j < m; ++j) w[j] *= t;
  for (i = top; i + R <= n; i += R) subtract_from_rows<T, R>(a + i * m, m, from, v + i, w);
  for (; i < n; ++i) subtract_from_rows<T, 1>(a + i * m, m, from, v + i, w);
}

// Reduces to the diagonal d[0 .. n-1] and the subdiagonal e[0 .. n-2], e[n-1] = 0. `work`: 2 m registers.
template <class T>
void bidiagonalize(V<T>* a, int n, int m, V<T>* d, V<T>* e, V<T>* work) {
  constexpr int R = 4;
  V<T>*v = work, *w = work + m;
  for (int k = 0; k < n; ++k) {
    V<T> t = reflector<T>(a + k * m + k, 1, m - k, v + k);
    d[k] = a[k * m + k];
    e[k] = V<T>{};
    if (k + 1 == n) return;
    int i = k + 1;
    for (; i + R <= n; i += R) reflect_rows<T, R>(a + i * m, m, m, k, t, v);
    for (; i < n; ++i) reflect_rows<T, 1>(a + i * m, m, m, k, t, v);
    t = reflector<T>(a + (k + 1) * m + k, m, n - k - 1, v + k + 1);
    e[k] = a[(k + 1) * m + k];
    reflect_columns<T>(a, n, m, k + 1, k + 1, t, v, w);
  }
}

}  // namespace
}  // namespace geolatent

// From tiles of n x m matrices, n >= m, to upper bidiagonal ones with the same singular values.
// Source: Golub & Van Loan, Matrix Computations, 5.4.8; the update of one reflection and the products of the next are
// one pass over the tile.
#pragma once

#include "cpu/each.hpp"
#include "cpu/hessenberg.hpp"
#include "cpu/lanes.hpp"

namespace geolatent {
namespace {

// v <- Householder vector of every `step`-th of `count` entries from x on. Returns t with the reflector I - t v v', which
// leaves the first entry alone; its square becomes `square`. t = 0 where nothing else was there.
template <class T>
V<T> reflector(const V<T>* x, int step, int count, V<T>* v, V<T>& square) {
  const V<T> zero{}, one = broadcast<T>(T(1)), alpha = x[0];
  const V<T> tail = dot<T>(x + step, x + step, step, count - 1);
  square = alpha * alpha + tail;
  const M<T> live = tail > Lanes<T>::smallest_square;
  const V<T> r = inverse_root(live ? square : one), norm = square * r;
  v[0] = alpha + opposite_where<T>(alpha < zero, norm);
  for (int i = 1; i < count; ++i) v[i] = x[i * step];
  V<T> inverse;
  const V<T> t = quotient(r, norm + magnitude<T>(alpha), inverse);
  return live ? t : zero;
}

// Over R rows from i and the columns from `from` on: x <- x - left_i above_j, then products of the new x with a vector:
// of its rows, into sums[i], or of its columns, into sums[j].
template <class T, int R, bool of_rows>
GEOLATENT_INLINE void bidiagonal_pass(V<T>* a, int m, int stride, int i, int from, const V<T>* left, const V<T>* above,
                                      const V<T>* vector, V<T>* sums) {
  V<T> subtracted[R], along[R], sum[R];
  for (int r = 0; r < R; ++r) {
    subtracted[r] = left[i + r];
    if (!of_rows) along[r] = vector[i + r];
    sum[r] = V<T>{};
  }
  for (int j = from; j < m; ++j) {
    const V<T> across = above[j];
    V<T> other = of_rows ? vector[j] : sums[j];
    for (int r = 0; r < R; ++r) {
      const V<T> x = a[(i + r) * stride + j] - subtracted[r] * across;
      a[(i + r) * stride + j] = x;
      if (of_rows) sum[r] += x * other;
      else other += x * along[r];
    }
    if (!of_rows) sums[j] = other;
  }
  for (int r = 0; of_rows && r < R; ++r) sums[i + r] = sum[r];
}

template <class T, bool of_rows>
GEOLATENT_INLINE void bidiagonal_rows(V<T>* a, int n, int m, int stride, int top, int from, const V<T>* left,
                                      const V<T>* above, const V<T>* vector, V<T>* sums) {
  constexpr int R = GEOLATENT_BYTES == 64 ? 4 : 2;
  int i = top;
  for (; i + R <= n; i += R) bidiagonal_pass<T, R, of_rows>(a, m, stride, i, from, left, above, vector, sums);
  for (; i < n; ++i) bidiagonal_pass<T, 1, of_rows>(a, m, stride, i, from, left, above, vector, sums);
}

// The vectors of both reflections and what they subtract.
template <class T>
struct Reflections {
  V<T>*v, *z, *u, *y;
};

inline int bidiagonal_work(int n, int m) { return 2 * (n + m); }

// The squares of the diagonal, q[0 .. m-1], and of the superdiagonal, e[0 .. m-2]; e[m-1] = 0. The tiles take turns,
// which hides the latency of roots and divisions. `work`: bidiagonal_work registers a tile.
template <class T, int G>
void bidiagonalize(V<T>* const* a, int n, int m, int stride, V<T>* const* q, V<T>* const* e, V<T>* work) {
  Reflections<T> r[G];
  V<T> t[G];
  EACH {
    r[g].v = work + g * bidiagonal_work(n, m);
    r[g].z = r[g].v + n;
    r[g].u = r[g].z + n;
    r[g].y = r[g].u + m;
    for (int i = 0; i < n; ++i) r[g].z[i] = V<T>{};
    for (int j = 0; j < m; ++j) r[g].u[j] = V<T>{};
  });
  for (int k = 0; k < m; ++k) {
    EACH {
      for (int i = k; i < n; ++i) a[g][i * stride + k] -= r[g].z[i] * r[g].u[k];
      t[g] = reflector<T>(a[g] + k * stride + k, stride, n - k, r[g].v + k, q[g][k]);
      e[g][k] = V<T>{};
    });
    if (k + 1 == m) break;
    EACH {
      for (int j = k + 1; j < m; ++j) r[g].y[j] = V<T>{};
      bidiagonal_rows<T, false>(a[g], n, m, stride, k, k + 1, r[g].z, r[g].u, r[g].v, r[g].y);
    });
    EACH {
      for (int j = k + 1; j < m; ++j) {
        r[g].y[j] *= t[g];
        a[g][k * stride + j] -= r[g].v[k] * r[g].y[j];
      }
      t[g] = reflector<T>(a[g] + k * stride + k + 1, 1, m - k - 1, r[g].u + k + 1, e[g][k]);
    });
    EACH {
      bidiagonal_rows<T, true>(a[g], n, m, stride, k + 1, k + 1, r[g].v, r[g].y, r[g].u, r[g].z);
      for (int i = k + 1; i < n; ++i) r[g].z[i] *= t[g];
    });
  }
}

}  // namespace
}  // namespace geolatent

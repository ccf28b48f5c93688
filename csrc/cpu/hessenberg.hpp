// From a tile of matrices to a tile of balanced upper Hessenberg matrices with the same eigenvalues.
#pragma once

#include <cstdint>

#include "cpu/lanes.hpp"

namespace geolatent {
namespace {

constexpr int padding = 3;  // rows and columns of zeros around a tile, so that the last reflectors need no cases

// What reading a tile tells of its lanes.
template <class T>
struct Extent {
  V<T> top;     // largest magnitude
  V<T> finite;  // zero, or NaN where an entry is NaN or infinite
};

template <class T>
inline void store_entries(V<T>* tile, int n, int stride, int first, int count, const V<T>* entries, Extent<T>& extent) {
  int i = first / n, j = first % n;
  for (int e = 0; e < count; ++e) {
    const V<T> x = entries[e];
    extent.top = larger<T>(extent.top, magnitude<T>(x));
    extent.finite += x * T(0);
    tile[i * stride + j] = x;
    if (++j == n) {
      j = 0;
      ++i;
    }
  }
}

// Reads one matrix a lane into a tile with rows and columns of padding. Lanes beyond `live` repeat the last matrix.
template <class T>
Extent<T> load_tile(V<T>* tile, const T* a, int live, int n, int stride) {
  constexpr int W = Lanes<T>::count;
  Extent<T> extent{};
  const T* from[W];
  for (int l = 0; l < W; ++l) from[l] = a + std::int64_t(l < live ? l : live - 1) * n * n;
  V<T> entries[W];
  for (int first = 0; first < n * n; first += W) {
    const int count = n * n - first < W ? n * n - first : W;
    if (count == W) {
      for (int l = 0; l < W; ++l) __builtin_memcpy(&entries[l], from[l] + first, sizeof(V<T>));
      transpose<T>(entries);
    } else {
      for (int e = 0; e < count; ++e)
        for (int l = 0; l < W; ++l) entries[e][l] = from[l][first + e];
    }
    store_entries<T>(tile, n, stride, first, count, entries, extent);
  }
  for (int i = 0; i < n; ++i)
    for (int j = n; j < stride; ++j) tile[i * stride + j] = V<T>{};
  for (int j = n * stride; j < stride * stride; ++j) tile[j] = V<T>{};
  return extent;
}

// The power of two by which a lane is multiplied to bring its largest entry to [1, 2); `scale` undoes it.
template <class T>
V<T> to_unit_size(V<T> top, V<T>& scale) {
  constexpr int shift = Lanes<T>::mantissa_bits;
  using Int = typename Lanes<T>::Int;
  M<T> exponent = (M<T>)top >> shift;
  exponent = exponent < Int(1) ? M<T>{} + Int(1) : exponent;
  exponent = exponent > Lanes<T>::largest_exponent ? M<T>{} + Lanes<T>::largest_exponent : exponent;
  scale = (V<T>)(exponent << shift);
  return (V<T>)((Lanes<T>::largest_exponent + 1 - exponent) << shift);
}

// Brings every lane to unit size and takes the squared norms of columns and rows; `scale` multiplies the eigenvalues
// back. Returns the lanes that hold NaN or infinity; they are set to zero.
template <class T>
M<T> normalize(V<T>* h, int n, int stride, const Extent<T>& extent, V<T>& scale, V<T>* c2, V<T>* r2) {
  const V<T> inverse = to_unit_size<T>(extent.top, scale);
  const M<T> bad = extent.finite != V<T>{};
  for (int j = 0; j < n; ++j) c2[j] = V<T>{};
  for (int i = 0; i < n; ++i) {
    V<T> sum{};
    for (int j = 0; j < n; ++j) {
      V<T> x = h[i * stride + j] * inverse;
      x = bad ? V<T>{} : x;
      h[i * stride + j] = x;
      sum += x * x;
      c2[j] += x * x;
    }
    r2[i] = sum;
  }
  return bad;
}

// The power of two f that brings row and column nearest to equal norms (c f ~ r / f), 1 where it gains less than 5%.
template <class T>
inline V<T> balancing_factor(V<T> c2, V<T> r2) {
  constexpr int shift = Lanes<T>::mantissa_bits;
  using Int = typename Lanes<T>::Int;
  const V<T> one = broadcast<T>(T(1)), tiny = broadcast<T>(Lanes<T>::smallest_square);
  // Exponents: f = 2^round((log2 r2 - log2 c2) / 4).
  const M<T> difference = ((M<T>)r2 >> shift) - ((M<T>)c2 >> shift), power = (difference + Int(2)) >> 2;
  const M<T> live = (c2 > tiny) & (r2 > tiny) & (power != Int(0));
  if (!any(live)) return one;
  const V<T> f = (V<T>)((power + ((Lanes<T>::largest_exponent + 1) / 2)) << shift);
  const V<T> c = root(c2), r = root(r2);
  return live & (c * f + r / f < T(0.95) * (c + r)) ? f : one;
}

constexpr int most_passes = 50;  // random matrices take one, a chain of 48 steps of 10^3 takes 33

// Balancing by diagonal similarity with powers of two, in the 2-norm. c2 and r2: squared norms of columns and rows.
template <class T>
void balance(V<T>* h, int n, int stride, const V<T>* c2, const V<T>* r2) {
  const V<T> one = broadcast<T>(T(1));
  M<T> active{};
  for (int i = 0; i < n; ++i) active |= balancing_factor<T>(c2[i], r2[i]) != one;
  for (int pass = 0; pass < most_passes && any(active); ++pass) {
    M<T> changed{};
    for (int i = 0; i < n; ++i) {
      V<T> c{}, r{};
      for (int j = 0; j < n; ++j) {
        c += h[j * stride + i] * h[j * stride + i];
        r += h[i * stride + j] * h[i * stride + j];
      }
      const V<T> f = active ? balancing_factor<T>(c, r) : one;
      if (!any(M<T>(f != one))) continue;
      changed |= f != one;
      const V<T> inverse = T(1) / f;
      for (int j = 0; j < n; ++j) h[j * stride + i] *= f;
      for (int j = 0; j < n; ++j) h[i * stride + j] *= inverse;
    }
    active &= changed;
  }
}

// Sum of products of every `step`-th entry, in four chains.
template <class T>
inline V<T> dot(const V<T>* a, const V<T>* b, int step, int count) {
  V<T> sum[4]{};
  int i = 0;
  for (; i + 4 <= count; i += 4)
    for (int r = 0; r < 4; ++r) sum[r] += a[(i + r) * step] * b[(i + r) * step];
  for (; i < count; ++i) sum[0] += a[i * step] * b[i * step];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// v <- Householder vector of column k below the diagonal, v[k + 1] = 1 and zero above; the column becomes (.., beta, 0).
// Returns t with the reflector I - t v v'; the identity, t = 0, where the column is already reduced.
template <class T>
V<T> householder(V<T>* h, int n, int stride, int k, V<T>* v) {
  const V<T> zero{}, one = broadcast<T>(T(1)), alpha = h[(k + 1) * stride + k];
  const V<T>* below = h + (k + 2) * stride + k;
  const V<T> tail = dot<T>(below, below, stride, n - k - 2), square = alpha * alpha + tail;
  const M<T> live = tail > Lanes<T>::smallest_square;
  const V<T> r = live ? inverse_root(square) : zero;
  const V<T> cosine = magnitude<T>(alpha) * r, to_v = opposite_where<T>(alpha < zero, r) / (one + cosine);
  for (int i = 0; i <= k; ++i) v[i] = zero;
  v[k + 1] = one;
  for (int i = k + 2; i < n; ++i) {
    v[i] = h[i * stride + k] * to_v;
    h[i * stride + k] = zero;
  }
  h[(k + 1) * stride + k] = live ? opposite_where<T>(alpha >= zero, square * r) : alpha;
  return live ? one + cosine : zero;
}

// The vectors of one two-sided reflection H <- H - v w' - z v'.
template <class T>
struct RankTwo {
  V<T>*v, *w, *z;
};

// Over R rows from i and the columns from j on: subtracts `old` and multiplies by the next vector, w' += v' H, z' = H v'.
// Rows above both reflections (`inside` false) have v = v' = 0.
template <class T, int R, bool inside, bool update>
inline void pass(V<T>* h, int n, int stride, int i, int from, const RankTwo<T>& old, const RankTwo<T>& next) {
  V<T> v[R], z[R], u[R], sum[R];
  for (int r = 0; r < R; ++r) {
    v[r] = old.v[i + r];
    z[r] = old.z[i + r];
    u[r] = next.v[i + r];
    sum[r] = V<T>{};
  }
  for (int j = from; j < n; ++j) {
    const V<T> wj = old.w[j], vj = old.v[j], uj = next.v[j];
    V<T> product = next.w[j];
    for (int r = 0; r < R; ++r) {
      V<T> x = h[(i + r) * stride + j];
      if (update) {
        if (inside) x -= v[r] * wj;
        x -= z[r] * vj;
        h[(i + r) * stride + j] = x;
      }
      sum[r] += x * uj;
      if (inside) product += x * u[r];
    }
    if (inside) next.w[j] = product;
  }
  for (int r = 0; r < R; ++r) next.z[i + r] = sum[r];
}

template <class T, bool update>
inline void all_rows(V<T>* h, int n, int stride, int above, int from, const RankTwo<T>& old, const RankTwo<T>& next) {
  constexpr int R = GEOLATENT_BYTES == 64 ? 4 : 2;
  int i = 0;
  for (; i + R <= above; i += R) pass<T, R, false, update>(h, n, stride, i, from, old, next);
  for (; i + R <= n; i += R) pass<T, R, true, update>(h, n, stride, i, from, old, next);
  for (; i < n; ++i) pass<T, 1, true, update>(h, n, stride, i, from, old, next);
}

// Householder reduction to upper Hessenberg form. The update of one column's reflection and the products of the next
// are one pass over the tile. `work`: 6 stride registers.
template <class T>
void hessenberg(V<T>* h, int n, int stride, V<T>* work) {
  RankTwo<T> old{work, work + stride, work + 2 * stride}, next{work + 3 * stride, work + 4 * stride, work + 5 * stride};
  for (int i = 0; i < 6 * stride; ++i) work[i] = V<T>{};
  for (int k = 0; k + 2 < n; ++k) {
    if (k > 0)
      for (int i = 0; i < n; ++i) h[i * stride + k] -= old.v[i] * old.w[k] + old.z[i] * old.v[k];
    const V<T> t = householder<T>(h, n, stride, k, next.v);
    for (int j = k + 1; j < n; ++j) next.w[j] = V<T>{};
    if (k > 0) all_rows<T, true>(h, n, stride, k, k + 1, old, next);
    else all_rows<T, false>(h, n, stride, k, k + 1, old, next);
    const V<T> correction = t * t * dot<T>(next.w + k + 1, next.v + k + 1, 1, n - k - 1);
    for (int j = k + 1; j < n; ++j) next.w[j] *= t;
    for (int i = 0; i < n; ++i) next.z[i] = t * next.z[i] - correction * next.v[i];
    const RankTwo<T> done = old;
    old = next;
    next = done;
  }
  for (int j = n - 2; n > 2 && j < n; ++j)
    for (int i = 0; i < n; ++i) h[i * stride + j] -= old.v[i] * old.w[j] + old.z[i] * old.v[j];
}

}  // namespace
}  // namespace geolatent

// Singular values of many small matrices, one matrix a lane: by one-sided Jacobi rotations of the shorter side's vectors
// where these are few, else through bidiagonal form and implicit QR.
//
// Source: Demmel & Veselic 1992, Jacobi's method is more accurate than QR; Golub & Van Loan, Matrix Computations, 8.6.
#pragma once

#include <cstdint>
#include <cstdlib>

#include "cpu/bidiagonal.hpp"
#include "cpu/bidiagonal_qr.hpp"
#include "cpu/each.hpp"
#include "cpu/hessenberg.hpp"
#include "cpu/lanes.hpp"

namespace geolatent {
namespace {

// Reads `size` consecutive entries of one matrix a lane and brings every lane to unit size; `scale` undoes it. Lanes
// beyond `live` repeat the last matrix. Returns the lanes that hold NaN or infinity; they are set to zero.
template <class T>
M<T> load_vectors(V<T>* tile, const T* a, int live, int size, V<T>& scale) {
  constexpr int W = Lanes<T>::count;
  Extent<T> extent{};
  const T* from[W];
  for (int l = 0; l < W; ++l) from[l] = a + std::int64_t(l < live ? l : live - 1) * size;
  for (int first = 0; first < size; first += W) {
    const int count = size - first < W ? size - first : W;
    V<T> entries[W];
    if (count == W) {
      for (int l = 0; l < W; ++l) __builtin_memcpy(&entries[l], from[l] + first, sizeof(V<T>));
      transpose<T>(entries);
    } else {
      for (int e = 0; e < count; ++e)
        for (int l = 0; l < W; ++l) entries[e][l] = from[l][first + e];
    }
    for (int e = 0; e < count; ++e) {
      extent.top = larger<T>(extent.top, magnitude<T>(entries[e]));
      extent.finite += entries[e] * T(0);
      tile[first + e] = entries[e];
    }
  }
  const V<T> inverse = to_unit_size<T>(extent.top, scale);
  const M<T> bad = extent.finite != V<T>{};
  for (int e = 0; e < size; ++e) tile[e] = bad ? V<T>{} : tile[e] * inverse;
  return bad;
}

// Rotates the n vectors of length m of G registers until they are orthogonal; `norm` becomes their squared norms. Within
// a sweep these follow the rotations; the last sweep, which rotates nothing, takes them afresh. Of two vectors that are
// rotated the longer one goes first. `restless`: the lanes without a last sweep.
template <class T, int G>
void orthogonalize_vectors(V<T>* const* vectors, V<T>* const* norm, int n, int m, M<T>* restless) {
  constexpr int most_sweeps = 30;
  const V<T> zero{}, one = broadcast<T>(T(1)), tolerance = broadcast<T>(T(m + 8) * Lanes<T>::eps * Lanes<T>::eps);
  bool moving = true;
  for (int sweeps = 0; moving && sweeps < most_sweeps; ++sweeps) {
    moving = false;
    EACH {
      restless[g] = M<T>{};
      for (int i = 0; i < n; ++i) norm[g][i] = dot<T>(vectors[g] + i * m, vectors[g] + i * m, 1, m);
    });
    for (int i = 0; i + 1 < n; ++i)
      for (int j = i + 1; j < n; ++j) EACH {
          V<T>*x = vectors[g] + i * m, *y = vectors[g] + j * m;
          const V<T> a = norm[g][i], b = norm[g][j], c = dot<T>(x, y, 1, m);
          const V<T> half = T(0.5) * (b - a), square = half * half + c * c;
          const M<T> oblique = (c * c > tolerance * (a * b)) & (square > Lanes<T>::smallest_square);
          if (!any(oblique)) return;
          moving = true;
          restless[g] |= oblique;
          const V<T> size = square * inverse_root(oblique ? square : one);
          V<T> tangent = c / (magnitude<T>(half) + (oblique ? size : one));
          tangent = oblique ? opposite_where<T>(half < zero, tangent) : zero;
          const V<T> across = inverse_root(one + tangent * tangent), along = across * tangent, shift = tangent * c;
          const M<T> swap = oblique & (half > zero);
          const V<T> cosine = swap ? along : across, sine = swap ? zero - across : along;
          for (int k = 0; k < m; ++k) {
            const V<T> from = x[k], to = y[k];
            x[k] = cosine * from - sine * to;
            y[k] = sine * from + cosine * to;
          }
          norm[g][i] = larger<T>(swap ? b + shift : a - shift, zero);
          norm[g][j] = larger<T>(swap ? a - shift : b + shift, zero);
        });
  }
}

// Singular values `values` of G registers, in descending order.
template <class T, int G>
void store_singular_values(V<T>* const* values, const V<T>* scale, const M<T>* bad, V<T>* rank, T* out, int live, int n) {
  constexpr int W = Lanes<T>::count;
  const V<T> zero{}, one = broadcast<T>(T(1)), nan = broadcast<T>(T(__builtin_nan("")));
  EACH {
    for (int j = 0; j < n; ++j) {
      rank[j] = zero;
      for (int i = 0; i < j; ++i) {
        const M<T> before = values[g][i] >= values[g][j];
        rank[j] += before ? one : zero;
        rank[i] += before ? zero : one;
      }
    }
    for (int j = 0; j < n; ++j) {
      const V<T> value = bad[g] ? nan : values[g][j] * scale[g];
      for (int l = 0; l < W && g * W + l < live; ++l) out[std::int64_t(g * W + l) * n + int(rank[j][l])] = value[l];
    }
  });
}

// `live` matrices of n vectors of length m, n <= m.
template <class T, int G>
void jacobi_tile(V<T>* work, const T* a, T* out, std::uint8_t* failed, int live, int n, int m) {
  constexpr int W = Lanes<T>::count;
  V<T>*vectors[G], *norm[G], scale[G];
  M<T> bad[G], restless[G];
  EACH {
    vectors[g] = work + g * (n * m + n);
    norm[g] = vectors[g] + n * m;
    const int first = g * W < live ? g * W : 0, mine = live - first < W ? live - first : W;
    bad[g] = load_vectors<T>(vectors[g], a + std::int64_t(first) * n * m, mine, n * m, scale[g]);
  });
  orthogonalize_vectors<T, G>(vectors, norm, n, m, restless);
  EACH {
    for (int j = 0; j < n; ++j) norm[g][j] = root(norm[g][j]);
    for (int l = 0; l < W && g * W + l < live; ++l) failed[g * W + l] = restless[g][l] != 0;
  });
  store_singular_values<T, G>(norm, scale, bad, work + G * (n * m + n), out, live, n);
}

// Registers that a tile of G needs in all, besides the vectors as they are read.
inline int bidiagonal_registers(int groups, int n, int m) {
  return groups * (m * (n | 1) + 2 * n + bidiagonal_work(m, n));
}

// The same through bidiagonal form, of which what is left out is within rounding of the largest entry. The vectors
// become columns.
template <class T, int G>
void bidiagonal_tile(V<T>* work, const T* a, T* out, std::uint8_t* failed, int live, int n, int m) {
  constexpr int W = Lanes<T>::count;
  const int stride = n | 1, most_sweeps = 30 + 4 * n;  // odd: a column spreads over the cache
  V<T>*tile[G], *read = work + bidiagonal_registers(G, n, m), scale[G];
  M<T> bad[G];
  Tridiagonal<T, G> b;
  EACH {
    tile[g] = work + g * (m * stride + 2 * n);
    b.d[g] = tile[g] + m * stride;
    b.e[g] = b.d[g] + n;
    b.lo[g] = V<T>{};
    b.hi[g] = broadcast<T>(T(n - 1));
    const int first = g * W < live ? g * W : 0, mine = live - first < W ? live - first : W;
    bad[g] = load_vectors<T>(read, a + std::int64_t(first) * n * m, mine, n * m, scale[g]);
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < m; ++i) tile[g][i * stride + j] = read[j * m + i];
  });
  bidiagonalize<T, G>(tile, m, n, stride, b.d, b.e, work + G * (m * stride + 2 * n));
  EACH {
    for (int j = 0; j < n; ++j) {
      b.d[g][j] = root(b.d[g][j]);
      b.e[g][j] = root(b.e[g][j]);
    }
  });
  b.last = n - 1;
  b.negligible = Lanes<T>::eps;
  for (int sweeps = 0; sweeps <= most_sweeps; ++sweeps) {
    deflate_symmetric<T, G>(b);
    if (b.last <= 0 || sweeps == most_sweeps) break;
    choose_bidiagonal_shifts<T, G>(b);
    sweep_bidiagonal<T, G>(b);
  }
  EACH {
    for (int j = 0; j < n; ++j) b.d[g][j] = magnitude<T>(b.d[g][j]);
    for (int l = 0; l < W && g * W + l < live; ++l) failed[g * W + l] = b.hi[g][l] > T(0);
  });
  store_singular_values<T, G>(b.d, scale, bad, read, out, live, n);
}

constexpr int most_jacobi_vectors = 6;  // beyond, the reduction costs less than sweeps over all pairs

template <class T, int G>
void svdvals_tiles(const T* a, T* out, std::uint8_t* failed, std::int64_t count, int n, int m, int threads) {
  constexpr int lanes = G * Lanes<T>::count;
  const std::int64_t tiles = (count + lanes - 1) / lanes;
#pragma omp parallel num_threads(threads) if (tiles > 1)
  {
    V<T>* work = static_cast<V<T>*>(  // null: the caller computes the tile
        std::aligned_alloc(GEOLATENT_BYTES, sizeof(V<T>) * (bidiagonal_registers(G, n, m) + n * m + n)));
#pragma omp for schedule(dynamic, n < 16 ? 4 : 1)
    for (std::int64_t t = 0; t < tiles; ++t) {
      const std::int64_t first = t * lanes;
      const int live = count - first < lanes ? int(count - first) : lanes;
      const T* from = a + first * n * m;
      if (!work) for (int l = 0; l < live; ++l) failed[first + l] = 1;
      else if (n <= most_jacobi_vectors) jacobi_tile<T, G>(work, from, out + first * n, failed + first, live, n, m);
      else bidiagonal_tile<T, G>(work, from, out + first * n, failed + first, live, n, m);
    }
    std::free(work);
  }
}

template <class T>
void svdvals(const T* a, T* out, std::uint8_t* failed, std::int64_t count, int n, int m, int threads) {
  // Two registers side by side hide the latency of a rotation; the narrower registers come with too few of them.
  svdvals_tiles<T, GEOLATENT_BYTES == 64 ? 2 : 1>(a, out, failed, count, n, m, threads);
}

}  // namespace
}  // namespace geolatent

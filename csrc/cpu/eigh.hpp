// Eigenvalues and eigenvectors of many small symmetric matrices: one matrix a lane, through
//   power-of-two scaling -> Householder reduction to tridiagonal form -> implicit QR -> ascending order.
//
// Deviations from LAPACK's xSYTRD and xSTEQR: always QR, from the top down, whichever end is the larger; entries below an
// absolute floor far under eps |A| count as zero; sorting by rank, ties in the order in which they were found.
//
// Source: Golub & Van Loan, Matrix Computations, 8.3.
#pragma once

#include <cstdint>
#include <cstdlib>

#include "cpu/each.hpp"
#include "cpu/lanes.hpp"
#include "cpu/symmetric_qr.hpp"
#include "cpu/tridiagonal.hpp"

namespace geolatent {
namespace {

// Registers that a tile of G needs: the matrices, their tridiagonal forms and rotations, and 5 n more.
inline std::int64_t eigh_registers(int groups, int n, int stride) {
  return std::int64_t(groups) * (stride * stride + 4 * n) + 5 * n;
}

// rank[k]: how many eigenvalues come before the k-th.
template <class T>
void ascending_ranks(const V<T>* d, int n, V<T>* rank) {
  const V<T> one = broadcast<T>(T(1)), zero{};
  for (int k = 0; k < n; ++k) rank[k] = zero;
  for (int k = 1; k < n; ++k)
    for (int j = 0; j < k; ++j) {
      const M<T> before = d[j] <= d[k];
      rank[k] += before ? one : zero;
      rank[j] += before ? zero : one;
    }
}

// Row k of the basis, the eigenvector of the k-th eigenvalue, becomes row rank[k] of every lane's matrix.
template <class T>
void store_basis(const V<T>* basis, int n, int stride, const V<T>* rank, M<T> bad, T* vectors, int live) {
  constexpr int W = Lanes<T>::count;
  const V<T> nan = broadcast<T>(T(__builtin_nan("")));
  for (int k = 0; k < n; ++k)
    for (int first = 0; first < n; first += W) {
      const int count = n - first < W ? n - first : W;
      V<T> entries[W];
      for (int i = 0; i < W; ++i) entries[i] = bad ? nan : basis[k * stride + first + (i < count ? i : 0)];
      transpose<T>(entries);
      for (int l = 0; l < live; ++l) {
        T* to = vectors + (std::int64_t(l) * n + int(rank[k][l])) * n + first;
        if (count == W) __builtin_memcpy(to, &entries[l], sizeof(V<T>));
        else for (int i = 0; i < count; ++i) to[i] = entries[l][i];
      }
    }
}

template <class T, int G>
void eigh_tile(V<T>* work, const T* a, T* values, T* vectors, std::uint8_t* failed, int live, int n, int stride) {
  constexpr int W = Lanes<T>::count;
  const int most_sweeps = 30 + 4 * n;
  V<T>*tile[G], *shared = work + G * (stride * stride + 4 * n);
  V<T> scale[G];
  M<T> bad[G];
  Tridiagonal<T, G> m;
  EACH {
    tile[g] = work + g * (stride * stride + 4 * n);
    m.d[g] = tile[g] + stride * stride;
    m.e[g] = m.d[g] + n;
    m.cosine[g] = m.e[g] + n;
    m.sine[g] = m.cosine[g] + n;
    m.lo[g] = V<T>{};
    m.hi[g] = broadcast<T>(T(n - 1));
    const int first = g * W < live ? g * W : 0, mine = live - first < W ? live - first : W;
    load_tile<T>(tile[g], a + std::int64_t(first) * n * n, mine, n, stride);
    bad[g] = normalize_triangle<T>(tile[g], n, stride, scale[g]);
    tridiagonalize<T>(tile[g], n, stride, m.d[g], m.e[g], shared, shared + n);
    if (vectors) accumulate_reflectors<T>(tile[g], n, stride, shared, shared + n);
  });
  m.last = n - 1;
  m.negligible = Lanes<T>::floor;
  for (int sweeps = 0; sweeps <= most_sweeps; ++sweeps) {
    deflate_symmetric<T, G>(m);
    if (m.last <= 0 || sweeps == most_sweeps) break;
    choose_symmetric_shifts<T, G>(m);
    sweep_symmetric<T, G>(m);
    if (vectors) EACH { rotate_basis<T>(tile[g], n, stride, m.first, m.last, m.cosine[g], m.sine[g]); });
  }
  EACH {
    const V<T> nan = broadcast<T>(T(__builtin_nan("")));
    V<T>* rank = shared;
    ascending_ranks<T>(m.d[g], n, rank);
    const int first = g * W, mine = live - first < W ? live - first : W;
    for (int k = 0; k < n; ++k) {
      const V<T> value = bad[g] ? nan : m.d[g][k] * scale[g];
      for (int l = 0; l < mine; ++l) values[std::int64_t(first + l) * n + int(rank[k][l])] = value[l];
    }
    if (vectors && mine > 0)
      store_basis<T>(tile[g], n, stride, rank, bad[g], vectors + std::int64_t(first) * n * n, mine);
    for (int l = 0; l < mine; ++l) failed[first + l] = m.hi[g][l] > T(0);
  });
}

template <class T, int G>
void eigh_tiles(const T* a, T* values, T* vectors, std::uint8_t* failed, std::int64_t count, int n, int threads) {
  constexpr int lanes = G * Lanes<T>::count;
  const std::int64_t tiles = (count + lanes - 1) / lanes;
  const int stride = n | 1;  // odd: a column spreads over the cache
#pragma omp parallel num_threads(threads) if (tiles > 1)
  {
    V<T>* work = static_cast<V<T>*>(  // null: the caller computes the tile
        std::aligned_alloc(GEOLATENT_BYTES, sizeof(V<T>) * eigh_registers(G, n, stride)));
#pragma omp for schedule(dynamic, n < 16 ? 4 : 1)
    for (std::int64_t t = 0; t < tiles; ++t) {
      const std::int64_t first = t * lanes;
      const int live = count - first < lanes ? int(count - first) : lanes;
      T* basis = vectors ? vectors + first * n * n : nullptr;
      if (work) eigh_tile<T, G>(work, a + first * n * n, values + first * n, basis, failed + first, live, n, stride);
      else for (int l = 0; l < live; ++l) failed[first + l] = 1;
    }
    std::free(work);
  }
}

template <class T>
void eigh(const T* a, T* values, T* vectors, std::uint8_t* failed, std::int64_t count, int n, int threads) {
  // Two registers side by side hide the latency of a rotation; the narrower registers come with too few of them.
  eigh_tiles<T, GEOLATENT_BYTES == 64 ? 2 : 1>(a, values, vectors, failed, count, n, threads);
}

}  // namespace
}  // namespace geolatent

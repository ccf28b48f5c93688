// Eigenvalues of many small real matrices: one matrix a lane, through
//   power-of-two scaling -> balancing -> Householder reduction to Hessenberg form -> Francis double-shift QR -> sorting.
// Each lane has its own window [lo, hi] of unreduced rows; a sweep runs over the union of the windows, and outside its
// own window a lane has zeros where a reflector would begin, so that it meets the identity.
//
// Deviations from LAPACK's xGEBAL, xGEHRD and xLAHQR: balancing scales but does not permute, in one closed-form power of
// two a row; a sweep starts at lo, without the search for two consecutive small subdiagonal entries; only the windows
// are updated, since no Schur form is wanted; entries below an absolute floor far under eps |A| count as zero.
//
// Sources: Francis 1961; Golub & Van Loan, Matrix Computations, 7.5; James, Langou & Lowery, arXiv 1401.5766 (balancing in
// the 2-norm); Ahues & Tisseur, LAPACK working note 122 (deflation).
#pragma once

#include <cstdint>
#include <cstdlib>

#include "cpu/deflation.hpp"
#include "cpu/each.hpp"
#include "cpu/francis_sweep.hpp"
#include "cpu/hessenberg.hpp"
#include "cpu/lanes.hpp"
#include "cpu/sort_spectrum.hpp"

namespace geolatent {
namespace {

// Asks for the matrices of the next tile, a few cache lines a sweep: sixteen streams at once escape the prefetcher.
struct Prefetch {
  const char *at, *end;
  void lines(int count) {
    for (; count > 0 && at < end; --count, at += 64) __builtin_prefetch(at);
  }
};

template <class T, int G>
void eigvals_tile(V<T>* work, const T* a, T* out, std::uint8_t* failed, int live, int n, Prefetch ahead) {
  constexpr int W = Lanes<T>::count;
  const int stride = n + padding, most_sweeps = 30 + 4 * n;
  V<T>*h[G], *vectors = work + G * stride * stride;
  V<T> scale[G];
  M<T> bad[G];
  Windows<T, G> w;
  EACH {
    h[g] = work + g * stride * stride;
    const int first = g * W < live ? g * W : 0, mine = live - first < W ? live - first : W;
    const Extent<T> extent = load_tile<T>(h[g], a + std::int64_t(first) * n * n, mine, n, stride);
    bad[g] = normalize<T>(h[g], n, stride, extent, scale[g], vectors, vectors + n);
    balance<T>(h[g], n, stride, vectors, vectors + n);
    hessenberg<T>(h[g], n, stride, vectors);
    w.hi[g] = broadcast<T>(T(n - 1));
    w.since[g] = broadcast<T>(T(-1));
    w.lo[g] = V<T>{};
  });
  w.last = n - 1;
  for (int sweeps = 0; sweeps <= most_sweeps; ++sweeps) {
    deflate<T, G>(h, n, stride, w);
    if (w.last < 0) break;
    if (sweeps < most_sweeps) sweep<T, G>(h, stride, w);
    ahead.lines(int(G * sizeof(V<T>)) * n / 64 + 1);
  }
  EACH {
    V<T>*re = vectors, *im = re + n, *key = im + n;
    spectrum_of_blocks<T>(h[g], n, stride, scale[g], bad[g], re, im);
    sort_spectrum<T>(re, im, key, n);
    for (int l = 0; l < W && g * W + l < live; ++l) {
      T* to = out + std::int64_t(g * W + l) * 2 * n;
      for (int k = 0; k < n; ++k) {
        to[2 * k] = re[k][l];
        to[2 * k + 1] = im[k][l];
      }
      failed[g * W + l] = w.hi[g][l] >= T(0);
    }
  });
}

template <class T, int G>
void eigvals_tiles(const T* a, T* out, std::uint8_t* failed, std::int64_t count, int n, int threads) {
  constexpr int lanes = G * Lanes<T>::count;
  const std::int64_t tiles = (count + lanes - 1) / lanes;
  const std::size_t bytes = sizeof(V<T>) * (G * (n + padding) * (n + padding) + 6 * (n + padding));
#pragma omp parallel num_threads(threads) if (tiles > 1)
  {
    V<T>* work = static_cast<V<T>*>(std::aligned_alloc(GEOLATENT_BYTES, bytes));  // null: the caller computes the tile
#pragma omp for schedule(dynamic, 4)
    for (std::int64_t t = 0; t < tiles; ++t) {
      const std::int64_t first = t * lanes;
      const int live = count - first < lanes ? int(count - first) : lanes;
      if (!work) {
        for (int l = 0; l < live; ++l) failed[first + l] = 1;
        continue;
      }
      const Prefetch ahead{reinterpret_cast<const char*>(a + (first + lanes < count ? first + lanes : count) * n * n),
                           reinterpret_cast<const char*>(a + (first + 2 * lanes < count ? first + 2 * lanes : count) * n * n)};
      eigvals_tile<T, G>(work, a + first * n * n, out + first * 2 * n, failed + first, live, n, ahead);
    }
    std::free(work);
  }
}

constexpr int two_registers_up_to = 16;

template <class T>
void eigvals(const T* a, T* out, std::uint8_t* failed, std::int64_t count, int n, int threads) {
  // Two registers side by side pay where the latency of a reflector is longer than its work; the narrower registers
  // come with too few of them.
  if (GEOLATENT_BYTES == 64 && n <= two_registers_up_to) eigvals_tiles<T, 2>(a, out, failed, count, n, threads);
  else eigvals_tiles<T, 1>(a, out, failed, count, n, threads);
}

}  // namespace
}  // namespace geolatent

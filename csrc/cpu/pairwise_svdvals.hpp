// Singular values of the products of all matrices of one set with all of another, one pair a lane: the distances of
// positive definite matrices and of subspaces are functions of them.
#pragma once

#include <cstdint>
#include <cstdlib>

#include "cpu/bidiagonal.hpp"
#include "cpu/each.hpp"
#include "cpu/hessenberg.hpp"
#include "cpu/lanes.hpp"
#include "cpu/quotient_difference.hpp"
#include "kernels.hpp"

namespace geolatent {
namespace {

constexpr int rows_of_task = 32;

// Reads `size` consecutive entries of one matrix a lane. Lanes beyond `live` repeat the last matrix.
template <class T>
void load_right(V<T>* tile, const T* from, int live, int size) {
  constexpr int W = Lanes<T>::count;
  for (int first = 0; first < size; first += W) {
    const int count = size - first < W ? size - first : W;
    V<T> entries[W];
    for (int l = 0; l < W; ++l) {
      entries[l] = V<T>{};
      const T* entry = from + std::int64_t(l < live ? l : live - 1) * size + first;
      if (count == W) __builtin_memcpy(&entries[l], entry, sizeof(V<T>));
      else for (int e = 0; e < count; ++e) entries[l][e] = entry[e];
    }
    transpose<T>(entries);
    for (int e = 0; e < count; ++e) tile[first + e] = entries[e];
  }
}

// R x C entries of a product of one matrix with one a lane.
template <class T, int R, int C>
GEOLATENT_INLINE void product_block(const T* left, const V<T>* right, V<T>* out, int inner, int m, int stride) {
  V<T> sum[R][C];
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) sum[r][c] = V<T>{};
  for (int t = 0; t < inner; ++t) {
    V<T> row[C];
    for (int c = 0; c < C; ++c) row[c] = right[t * m + c];
    for (int r = 0; r < R; ++r) {
      const V<T> x = broadcast<T>(left[r * inner + t]);
      for (int c = 0; c < C; ++c) sum[r][c] += x * row[c];
    }
  }
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) out[r * stride + c] = sum[r][c];
}

template <class T, int R>
GEOLATENT_INLINE void product_rows(const T* left, const V<T>* right, V<T>* out, int inner, int m, int stride) {
  constexpr int C = GEOLATENT_BYTES == 64 ? 4 : 2;
  int j = 0;
  for (; j + C <= m; j += C) product_block<T, R, C>(left, right + j, out + j, inner, m, stride);
  for (; j < m; ++j) product_block<T, R, 1>(left, right + j, out + j, inner, m, stride);
}

template <class T>
void product(const T* left, const V<T>* right, V<T>* out, int n, int inner, int m, int stride) {
  constexpr int R = 4;
  int i = 0;
  for (; i + R <= n; i += R) product_rows<T, R>(left + i * inner, right, out + i * stride, inner, m, stride);
  for (; i < n; ++i) product_rows<T, 1>(left + i * inner, right, out + i * stride, inner, m, stride);
}

// Brings every lane to unit size; `scale` undoes it. Returns the lanes that hold NaN or infinity; they become zero.
template <class T>
M<T> to_unit_tile(V<T>* a, int n, int m, int stride, V<T>& scale) {
  Extent<T> extent{};
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < m; ++j) {
      extent.top = larger<T>(extent.top, magnitude<T>(a[i * stride + j]));
      extent.finite += a[i * stride + j] * T(0);
    }
  const V<T> inverse = to_unit_size<T>(extent.top, scale);
  const M<T> bad = extent.finite != V<T>{};
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < m; ++j) a[i * stride + j] = bad ? V<T>{} : a[i * stride + j] * inverse;
  return bad;
}

// Registers of one tile: products, their bidiagonal form, and what the reduction needs.
inline int pair_registers(int n, int m) { return n * (m | 1) + 4 * m + bidiagonal_work(n, m); }

// One row of the table against G registers of columns, whose factors `work` holds.
template <class T, int G>
void pairs_of_row(const ProductTable<T>& table, V<T>* work, std::int64_t row, std::int64_t column, int live) {
  constexpr int W = Lanes<T>::count;
  const int n = table.n, m = table.m, stride = m | 1, right = table.inner * m;  // odd: a column spreads over the cache
  V<T>*tile[G], *shared = work + G * (right + n * stride + 4 * m), scale[G];
  M<T> bad[G];
  Bidiagonal<T, G> b;
  EACH {
    tile[g] = work + G * right + g * (n * stride + 4 * m);
    b.q[g] = tile[g] + n * stride;
    b.e[g] = b.q[g] + m;
    b.moved[g] = b.e[g] + m;
    b.found[g] = b.moved[g] + m;
    product<T>(table.left + row * n * table.inner, work + g * right, tile[g], n, table.inner, m, stride);
    bad[g] = to_unit_tile<T>(tile[g], n, m, stride, scale[g]);
  });
  bidiagonalize<T, G>(tile, n, m, stride, b.q, b.e, shared);
  const int unfinished = squared_singular_values<T, G>(b, m);
  const V<T> nan = broadcast<T>(T(__builtin_nan("")));
  EACH {
    T* out = table.out + (row * table.columns + column + g * W) * m;
    for (int k = 0; k < m; ++k) {
      const M<T> lost = k < unfinished ? M<T>{} - 1 : bad[g];
      const V<T> value = lost ? nan : root(b.found[g][k]) * scale[g];
      for (int l = 0; l < W && g * W + l < live; ++l) out[l * m + k] = value[l];
    }
  });
}

template <class T>
void pairwise_svdvals(const ProductTable<T>& table, int threads) {
  constexpr int G = GEOLATENT_BYTES == 64 ? 2 : 1, W = Lanes<T>::count, lanes = G * W;
  const std::int64_t blocks = (table.rows + rows_of_task - 1) / rows_of_task, groups = (table.columns + lanes - 1) / lanes;
  const std::int64_t size = std::int64_t(table.inner) * table.m;
#pragma omp parallel num_threads(threads) if (blocks * groups > 1)
  {
    V<T>* work = static_cast<V<T>*>(
        std::aligned_alloc(GEOLATENT_BYTES, sizeof(V<T>) * G * (size + pair_registers(table.n, table.m))));
#pragma omp for schedule(dynamic, 1)
    for (std::int64_t task = 0; task < blocks * groups; ++task) {
      const std::int64_t column = task / blocks * lanes, begin = task % blocks * rows_of_task;
      const std::int64_t past = table.above_diagonal && column + lanes < table.rows ? column + lanes - 1 : table.rows;
      const std::int64_t end = begin + rows_of_task < past ? begin + rows_of_task : past;
      const int live = table.columns - column < lanes ? int(table.columns - column) : lanes;
      if (begin >= end) continue;
      if (!work) {  // out of memory: the caller computes these
        for (std::int64_t row = begin; row < end; ++row)
          for (int k = 0; k < live * table.m; ++k)
            table.out[(row * table.columns + column) * table.m + k] = T(__builtin_nan(""));
        continue;
      }
      for (int g = 0; g < G; ++g) {
        const int first = g * W < live ? g * W : 0;
        load_right<T>(work + g * size, table.right + (column + first) * size, live - first, int(size));
      }
      for (std::int64_t row = begin; row < end; ++row) pairs_of_row<T, G>(table, work, row, column, live);
    }
    std::free(work);
  }
}

}  // namespace
}  // namespace geolatent

// Products of one matrix with W others, one a lane; what is zero around triangular factors is left out.
#pragma once

#include <cstdint>

#include "cpu/hessenberg.hpp"
#include "cpu/lanes.hpp"

namespace geolatent {
namespace {

// Reads `size` consecutive entries of one matrix a lane and brings every lane to unit size; `scale` undoes it. Lanes
// beyond `live` repeat the last matrix.
template <class T>
void load_right(V<T>* tile, const T* from, int live, int size, V<T>& scale) {
  constexpr int W = Lanes<T>::count;
  V<T> top{};
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
    for (int e = 0; e < count; ++e) {
      top = larger<T>(top, magnitude<T>(entries[e]));
      tile[first + e] = entries[e];
    }
  }
  const V<T> inverse = to_unit_size<T>(top, scale);
  for (int e = 0; e < size; ++e) tile[e] *= inverse;
}

// The left factor, or its copy of unit size if it is far from that; `scale` undoes it.
template <class T>
const T* moderate_left(const T* left, int size, T* copy, T& scale) {
  constexpr int W = Lanes<T>::count;
  V<T> tops{};
  for (int e = 0; e < size; e += W) {
    V<T> entries{};
    __builtin_memcpy(&entries, left + e, sizeof(T) * (size - e < W ? size - e : W));
    tops = larger<T>(tops, magnitude<T>(entries));
  }
  T top = 0;
  for (int l = 0; l < W; ++l) top = tops[l] > top ? tops[l] : top;
  scale = 1;
  if (top > T(1e-4) && top < T(1e4)) return left;
  V<T> scales;
  const T inverse = to_unit_size<T>(broadcast<T>(top), scales)[0];
  scale = scales[0];
  for (int e = 0; e < size; ++e) copy[e] = left[e] * inverse;
  return copy;
}

// Where `count` rows, `step` apart, of `size` entries each begin and end that are not zero: the products of triangular
// matrices take a third of the work.
template <class X>
void extent_of(const X* x, int count, std::int64_t step, int size, std::int64_t stride, int& begin, int& end) {
  const auto zero = [&](int t) {
    for (int r = 0; r < count; ++r) {
      const X entry = x[r * step + t * stride];
      if constexpr (sizeof(X) > sizeof(double)) {
        if (any(entry != X{})) return false;
      } else if (entry != X{}) {
        return false;
      }
    }
    return true;
  };
  begin = 0;
  end = size;
  while (begin < end && zero(begin)) ++begin;
  while (end > begin && zero(end - 1)) --end;
}

// R x C entries of a product of one matrix with one a lane, in which the terms from `begin` to `end` count.
template <class T, int R, int C>
GEOLATENT_INLINE void product_block(const T* left, const V<T>* right, V<T>* out, int inner, int m, int stride, int begin,
                                    int end) {
  V<T> sum[R][C];
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) sum[r][c] = V<T>{};
  for (int t = begin; t < end; ++t) {
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

// Of each block of columns of the right factors, where it begins and ends.
struct Extents {
  int begin, end;
};

constexpr int block_columns = GEOLATENT_BYTES == 64 ? 4 : 2;

template <class T, int R>
GEOLATENT_INLINE void product_rows(const T* left, const V<T>* right, const Extents* extents, V<T>* out, int inner, int m,
                                   int stride) {
  constexpr int C = block_columns;
  int begin, end;
  extent_of<T>(left, R, inner, inner, 1, begin, end);
  for (int j = 0; j < m; j += C, ++extents) {
    const int from = begin > extents->begin ? begin : extents->begin, to = end < extents->end ? end : extents->end;
    if (j + C <= m) product_block<T, R, C>(left, right + j, out + j, inner, m, stride, from, to);
    else for (int c = j; c < m; ++c) product_block<T, R, 1>(left, right + c, out + c, inner, m, stride, from, to);
  }
}

template <class T>
void product(const T* left, const V<T>* right, const Extents* extents, V<T>* out, int n, int inner, int m, int stride) {
  constexpr int R = 4;
  int i = 0;
  for (; i + R <= n; i += R) product_rows<T, R>(left + i * inner, right, extents, out + i * stride, inner, m, stride);
  for (; i < n; ++i) product_rows<T, 1>(left + i * inner, right, extents, out + i * stride, inner, m, stride);
}

}  // namespace
}  // namespace geolatent

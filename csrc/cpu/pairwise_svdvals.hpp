// Sums of functions of the singular values of the products of all matrices of one set with all of another, one pair a
// lane: distances of positive definite matrices and of subspaces are such sums.
#pragma once

#include <cstdint>
#include <cstdlib>

#include "cpu/bidiagonal.hpp"
#include "cpu/each.hpp"
#include "cpu/elementary.hpp"
#include "cpu/lanes.hpp"
#include "cpu/pair_product.hpp"
#include "cpu/quotient_difference.hpp"
#include "kernels.hpp"

namespace geolatent {
namespace {

constexpr int rows_of_task = 64;

// Multiplies the squares q and e by the power of four that brings their sum to the order of one; `scale` undoes it for
// their roots. Returns the lanes whose sum is NaN or infinite; they become zero.
template <class T>
M<T> to_unit_form(V<T>* q, V<T>* e, int m, V<T>& scale) {
  constexpr int shift = Lanes<T>::mantissa_bits;
  using Int = typename Lanes<T>::Int;
  constexpr Int middle = (Lanes<T>::largest_exponent + 1) / 2;
  V<T> sum{};
  for (int k = 0; k < m; ++k) sum += q[k] + e[k];
  const M<T> bad = sum * T(0) != V<T>{};
  sum = larger<T>(sum, broadcast<T>(Lanes<T>::smallest_square));
  const M<T> power = (((M<T>)sum >> shift) - middle) >> 1;
  scale = (V<T>)((middle + power) << shift);
  const V<T> inverse = (V<T>)((middle - power) << shift), square = inverse * inverse;
  for (int k = 0; k < m; ++k) {
    q[k] = bad ? V<T>{} : q[k] * square;
    e[k] = bad ? V<T>{} : e[k] * square;
  }
  return bad;
}

// What a thread works with: the right factors of its columns, tiles to reduce, and the bidiagonal forms.
template <class T>
struct PairSpace {
  // Registers side by side hide latencies; the narrower registers come with too few of them.
  static constexpr int groups = GEOLATENT_BYTES == 64 ? 4 : 1;  // of pairs at a time
  static constexpr int tiles = groups < 2 ? groups : 2;         // of which so many are reduced side by side
  static constexpr int most_blocks = 48 / block_columns;

  int n, inner, m, stride, wide;  // wide: the registers in use; fewer where long factors would leave the cache
  V<T>*right, *tile, *forms, *work, scale[groups];
  T* left;  // a row's factor
  Extents extents[groups * most_blocks];

  explicit PairSpace(const ProductTable<T>& table)
      : n(table.n), inner(table.inner), m(table.m), stride(m | 1),  // odd: a column spreads over the cache
        wide(std::int64_t(groups) * inner * m * GEOLATENT_BYTES <= 1 << 19 ? groups : (groups + 1) / 2) {
    const std::int64_t sizes[] = {std::int64_t(groups) * inner * m, tiles * n * stride + groups * m, groups * 4 * m,
                                  tiles * bidiagonal_work(n, m), std::int64_t(n) * inner / Lanes<T>::count + 1};
    right = static_cast<V<T>*>(
        std::aligned_alloc(GEOLATENT_BYTES, sizeof(V<T>) * (sizes[0] + sizes[1] + sizes[2] + sizes[3] + sizes[4])));
    tile = right + sizes[0];
    forms = tile + sizes[1];
    work = forms + sizes[2];
    left = reinterpret_cast<T*>(work + sizes[3]);
  }
  ~PairSpace() { std::free(right); }

  // The factors of `live` columns; registers beyond them repeat the first.
  void load(const T* columns, int live) {
    constexpr int W = Lanes<T>::count;
    const std::int64_t size = std::int64_t(inner) * m;
    for (int g = 0; g < wide; ++g) {
      const int first = g * W < live ? g * W : 0;
      load_right<T>(right + g * size, columns + first * size, live - first, int(size), scale[g]);
      for (int j = 0; j < m; j += block_columns) {
        Extents& extent = extents[g * most_blocks + j / block_columns];
        const int count = m - j < block_columns ? m - j : block_columns;
        extent_of<V<T>>(right + g * size + j, count, 1, inner, m, extent.begin, extent.end);
      }
    }
  }
};

// Of the singular values [k][lanes] of `live` pairs, m each, the sums that the table asks for.
template <class T>
void sum_over(const T* values, int lanes, int m, SingularValueSum of, T* out, int live) {
  using namespace elementary;
  for (int c = 0; c < live; c += elementary::lanes) {
    const int count = live - c < elementary::lanes ? live - c : elementary::lanes;
    R sum{};
    for (int k = 0; k < m; ++k) {
      const R x = load(values + k * lanes + c, elementary::lanes);
      if (of == SingularValueSum::squared_logs) {
        const R log = log_of(x);
        sum += log * log;
      } else if (of == SingularValueSum::squared_angles) {
        const R angle = arc_cosine(smaller<double>(x, R{} + 1));
        sum += angle * angle;
      } else {
        sum += x;
      }
    }
    store(out + c, sum, count);
  }
}

// One row of the table against `live` columns from `column` on, whose factors `space` holds from register `first` on.
template <class T, int G>
void pairs_of_row(const ProductTable<T>& table, PairSpace<T>& space, int first, std::int64_t row, std::int64_t column,
                  int live) {
  constexpr int H = G < 2 ? G : 2, W = Lanes<T>::count;
  const int n = space.n, m = space.m, stride = space.stride;
  T left_scale;
  const T* left = moderate_left<T>(table.left + row * n * space.inner, n * space.inner, space.left, left_scale);
  V<T> scale[G];
  M<T> bad[G];
  Bidiagonal<T, G> b;
  for (int g = 0; g < G; ++g) {
    b.q[g] = space.forms + g * 4 * m;
    b.e[g] = b.q[g] + m;
    b.moved[g] = b.e[g] + m;
    b.found[g] = b.moved[g] + m;
  }
  for (int g = 0; g < G; g += H) {
    V<T>* tile[H];
    for (int h = 0; h < H; ++h) {
      tile[h] = space.tile + h * n * stride;
      product<T>(left, space.right + std::int64_t(first + g + h) * space.inner * m,
                 space.extents + (first + g + h) * space.most_blocks, tile[h], n, space.inner, m, stride);
    }
    bidiagonalize<T, H>(tile, n, m, stride, b.q + g, b.e + g, space.work);
  }
  EACH { bad[g] = to_unit_form<T>(b.q[g], b.e[g], m, scale[g]); });
  const int unfinished = squared_singular_values<T, G>(b, m);
  const V<T> nan = broadcast<T>(T(__builtin_nan("")));
  V<T>* values = space.tile;
  EACH {
    scale[g] *= left_scale * space.scale[first + g];
    for (int k = 0; k < m; ++k) {
      const M<T> lost = k < unfinished ? M<T>{} - 1 : bad[g];
      values[k * G + g] = lost ? nan : root(b.found[g][k]) * scale[g];
    }
  });
  sum_over<T>(reinterpret_cast<const T*>(values), G * W, m, table.of, table.out + row * table.columns + column, live);
}

// Rows begin to end against the `live` columns that `space` holds. Registers of columns on and below the diagonal are left
// out where half of them are.
template <class T>
void rows_of_task_against(const ProductTable<T>& table, PairSpace<T>& space, std::int64_t begin, std::int64_t end,
                          std::int64_t column, int live) {
  constexpr int G = PairSpace<T>::groups, half = (G + 1) / 2 * Lanes<T>::count;
  for (std::int64_t row = begin; row < end; ++row) {
    if (G > 1 && live > half && table.above_diagonal && row + 1 >= column + half)
      pairs_of_row<T, (G + 1) / 2>(table, space, (G + 1) / 2, row, column + half, live - half);
    else if (G > 1 && live <= half)
      pairs_of_row<T, (G + 1) / 2>(table, space, 0, row, column, live);
    else
      pairs_of_row<T, G>(table, space, 0, row, column, live);
  }
}

template <class T>
void pairwise_svdvals(const ProductTable<T>& table, int threads) {
#pragma omp parallel num_threads(threads)
  {
    PairSpace<T> space(table);
    const int lanes = space.wide * Lanes<T>::count;
    const std::int64_t blocks = (table.rows + rows_of_task - 1) / rows_of_task;
    const std::int64_t groups = (table.columns + lanes - 1) / lanes;
#pragma omp for schedule(dynamic, 1)
    for (std::int64_t task = 0; task < blocks * groups; ++task) {
      const std::int64_t column = task / blocks * lanes, begin = task % blocks * rows_of_task;
      const std::int64_t past = table.above_diagonal && column + lanes < table.rows ? column + lanes - 1 : table.rows;
      const std::int64_t end = begin + rows_of_task < past ? begin + rows_of_task : past;
      const int live = table.columns - column < lanes ? int(table.columns - column) : lanes;
      if (begin >= end) continue;
      if (space.right) {
        space.load(table.right + column * space.inner * space.m, live);
        rows_of_task_against<T>(table, space, begin, end, column, live);
        continue;
      }
      for (std::int64_t row = begin; row < end; ++row)  // out of memory: the caller computes these
        for (int l = 0; l < live; ++l) table.out[row * table.columns + column + l] = T(__builtin_nan(""));
    }
  }
}

}  // namespace
}  // namespace geolatent

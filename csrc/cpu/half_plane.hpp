// Squared distances between Gaussians with diagonal covariance, products of Poincare half-planes; one pair a lane, all
// arithmetic in double. With z = (dx^2 / 2 + dy^2) / (4 y0 y1) of a coordinate, dx the difference of the means and y the
// standard deviations, d^2 = 8 sum asinh^2(sqrt z).
//
// Source: Costa, Santos & Strapasson 2015.
#pragma once

#include <cstdint>

#include "cpu/elementary.hpp"
#include "cpu/lanes.hpp"
#include "kernels.hpp"

namespace geolatent {
namespace {
namespace half_plane {

using namespace elementary;

// log(1 + u) for u >= 0, infinity and NaN included.
inline R log_one_plus(R u) {
  const R w = 1 + u, lost = u - (w - 1);  // what rounding took
  const R slope = w < 2 ? 2 - w : R{} + 0.5;  // of the logarithm at w, well enough
  const R log = log_of(w) + lost * slope;
  return u < __builtin_inf() ? log : u;
}

// 4 asinh(sqrt z)^2: asinh(sqrt z) is half the logarithm of 1 + 2 z + 2 sqrt(z (1 + z)).
inline R squared_length(R z) {
  const R log = log_one_plus(z < 1e150 ? 2 * (z + root(z * (1 + z))) : 4 * z);
  return log * log;
}

// (dx^2 / 2 + dy^2) / (y0 y1), in factors that neither overflow nor vanish where the squares or the product would.
GEOLATENT_INLINE R quotient(R dx, R dy, R y0, R y1) {
  const R size = magnitude<double>(dx) + magnitude<double>(dy), product = y0 * y1;
  const Mask extreme = (size > 1e150) | ((size < 1e-140) & (size > 0)) | (product < 1e-280) | (product > 1e280);
  if (any(extreme)) return 0.5 * (dx / y0) * (dx / y1) + (dy / y0) * (dy / y1);
  return (0.5 * dx * dx + dy * dy) / product;
}

constexpr int block = 2048;  // numbers that a thread takes at a time

// Pairs begin to end: lengths of all coordinates in the order of memory, summed point by point.
template <class T>
void pairs_between(const DiagonalPairs<T>& pairs, std::int64_t begin, std::int64_t end) {
  const int n = pairs.n;
  double sum = 0;
  int coordinate = 0;
  T* out = pairs.out + begin;
  for (std::int64_t i = begin * n; i < end * n; i += lanes) {
    const int live = end * n - i < lanes ? int(end * n - i) : lanes;
    const R x0 = load(pairs.loc + i, live), y0 = load(pairs.scale + i, live);
    const R x1 = load(pairs.other_loc + i, live), y1 = load(pairs.other_scale + i, live);
    const R squares = squared_length(0.25 * quotient(x1 - x0, y1 - y0, y0, y1));
    if (n == 1) {
      store(pairs.out + i, pairs.squared ? 2 * squares : root(2 * squares), live);
      continue;
    }
    double each[lanes];
    __builtin_memcpy(each, &squares, sizeof each);
    for (int l = 0; l < live; ++l) {
      sum += each[l];
      if (++coordinate < n) continue;
      *out++ = T(pairs.squared ? 2 * sum : __builtin_sqrt(2 * sum));
      sum = coordinate = 0;
    }
  }
}

template <class T>
void diagonal_pairs(const DiagonalPairs<T>& pairs, int threads) {
  const std::int64_t step = pairs.n < block ? block / pairs.n : 1, tasks = (pairs.count + step - 1) / step;
#pragma omp parallel for num_threads(threads) schedule(static) if (tasks > 2)
  for (std::int64_t task = 0; task < tasks; ++task) {
    const std::int64_t end = (task + 1) * step;
    pairs_between(pairs, task * step, end < pairs.count ? end : pairs.count);
  }
}

template <class T>
void row_between(const DiagonalTable<T>& table, std::int64_t row, std::int64_t begin, std::int64_t end) {
  const T *loc = table.loc + row * table.n, *scale = table.scale + row * table.n;
  for (std::int64_t c = begin; c < end; c += lanes) {
    const int live = end - c < lanes ? int(end - c) : lanes;
    R sum{};
    for (int k = 0; k < table.n; ++k) {
      const R x0 = broadcast<double>(loc[k]), y0 = broadcast<double>(scale[k]);
      const R x1 = load(table.other_loc + k * table.columns + c, live);
      const R y1 = load(table.other_scale + k * table.columns + c, live);
      sum += squared_length(0.25 * quotient(x1 - x0, y1 - y0, y0, y1));
    }
    store(table.out + row * table.columns + c, root(2 * sum), live);
  }
}

template <class T>
void diagonal_table(const DiagonalTable<T>& table, int threads) {
  const std::int64_t blocks = (table.columns + block - 1) / block, tasks = table.rows * blocks;
#pragma omp parallel for num_threads(threads) schedule(static) if (tasks > 2)
  for (std::int64_t task = 0; task < tasks; ++task) {
    const std::int64_t begin = task % blocks * block, end = begin + block;
    row_between(table, task / blocks, begin, end < table.columns ? end : table.columns);
  }
}

}  // namespace half_plane
}  // namespace
}  // namespace geolatent

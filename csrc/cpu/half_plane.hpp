// Squared distances between Gaussians with diagonal covariance, products of Poincare half-planes; one pair a lane, all
// arithmetic in double. With z = (dx^2 / 2 + dy^2) / (4 y0 y1) of a coordinate, dx the difference of the means and y the
// standard deviations, d^2 = 8 sum asinh^2(sqrt z).
//
// Sources: Costa, Santos & Strapasson 2015 for the distance. The logarithm is 2 atanh((m - 1) / (m + 1)) of the mantissa
// m, by a polynomial of degree 6 that leaves 5e-18 relative (Chebyshev interpolation in 40 digits), plus the exponent.
#pragma once

#include <cstdint>

#include "cpu/lanes.hpp"
#include "kernels.hpp"

namespace geolatent {
namespace {
namespace half_plane {

using R = V<double>;
using Mask = M<double>;
typedef float Half __attribute__((vector_size(GEOLATENT_BYTES / 2)));
constexpr int lanes = Lanes<double>::count;

// Natural logarithm of normal positive numbers, to about two units in the last place.
inline R log_of(R x) {
  constexpr std::int64_t root_half = 0x3fe6a09e667f3bcd;  // bits of sqrt(1/2)
  constexpr double p[] = {0.14616585424888621989, 0.15331710618210771568, 0.18182889455674946039, 0.22222211130259877029,
                          0.28571428626003268742, 0.39999999999899443233, 0.66666666666666696883};
  const Mask bits = (Mask)x - root_half, exponent = bits >> 52;
  const R mantissa = (R)((bits & 0x000fffffffffffff) + root_half);
  const R magic = broadcast<double>(6755399441055744.0);  // its last bits count in integers
  const R e = (R)((Mask)magic + exponent) - magic;
  const R f = mantissa - 1, s = f / (2 + f), z = s * s;
  R q = broadcast<double>(p[0]);
  for (int k = 1; k < 7; ++k) q = q * z + p[k];
  // ln 2 in two parts; the first one times an exponent is exact
  return e * 6.93147180369123816490e-01 + (2 * s + (s * z * q + e * 1.90821492927058770002e-10));
}

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

// `live` consecutive entries, the first one in the lanes beyond them.
GEOLATENT_INLINE R load(const double* from, int live) {
  R x;
  if (live == lanes)
    __builtin_memcpy(&x, from, sizeof x);
  else
    for (int l = 0; l < lanes; ++l) x[l] = from[l < live ? l : 0];
  return x;
}

GEOLATENT_INLINE R load(const float* from, int live) {
  Half x;
  if (live == lanes)
    __builtin_memcpy(&x, from, sizeof x);
  else
    for (int l = 0; l < lanes; ++l) x[l] = from[l < live ? l : 0];
  return __builtin_convertvector(x, R);
}

GEOLATENT_INLINE void store(double* to, R x, int live) {
  if (live == lanes)
    __builtin_memcpy(to, &x, sizeof x);
  else
    for (int l = 0; l < live; ++l) to[l] = x[l];
}

GEOLATENT_INLINE void store(float* to, R x, int live) {
  const Half rounded = __builtin_convertvector(x, Half);
  if (live == lanes)
    __builtin_memcpy(to, &rounded, sizeof rounded);
  else
    for (int l = 0; l < live; ++l) to[l] = rounded[l];
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

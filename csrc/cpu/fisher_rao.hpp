// Fisher-Rao geodesics between Gaussians: distances and initial velocities of many pairs, one pair a lane.
#pragma once

#include <cstdint>
#include <cstdlib>

#include "cpu/fisher_rao_newton.hpp"
#include "kernels.hpp"

namespace geolatent {
namespace {
namespace geodesic {

constexpr double unique_up_to = 11.7496;  // the smallest distance at which a conjugate point was found

// K = [log S, m m'] / divisor.
inline void commutator(const Workspace& w, R divisor, R* to) {
  const int n = w.n;
  for (int i = 0; i < n * n; ++i) to[i] = R{};
  for (int i = 1; i < n; ++i) {
    to[i * n] = w.turning[i] / divisor;
    to[i] = -to[i * n];
  }
}

// Lawson's ansatz, close to the minimiser unless the means lie far apart.
inline void ansatz(const Workspace& w, R* to) {
  const R square = w.mean[0] * w.mean[0] * w.inverse[0] * w.inverse[0];  // m' S^-1 m
  commutator(w, 12.5 + 4 * lane_by_lane(square * (1.0 / 6), [](double x) { return std::log1p(x); }), to);
}

// The lower of f at K = 0 and f at the ansatz, whose K stays in w.fibre.
inline R first_start(const Workspace& w) {
  const int size = w.n * w.n;
  for (int i = 0; i < size; ++i) w.fibre[i] = R{};
  const R flat = evaluate(w, w.fibre).value;
  ansatz(w, w.trial);
  const R bent = evaluate(w, w.trial).value;
  for (int i = 0; i < size; ++i) w.fibre[i] = pick(bent < flat, w.trial[i], w.fibre[i]);
  return smaller<double>(flat, bent);
}

// Calvo and Oller's lower bound of d^2: half the squared affine-invariant distance of I and [S + m m', m; m', 1].
inline R lower_bound(const Workspace& w) {
  const int n = w.n, size = n + 1;
  R *difference = w.scratch, *factor = w.scratch + size * size, *excess = w.left, *values = w.left + size;
  for (int i = 0; i < size; ++i)
    for (int j = 0; j < size; ++j) {
      const R x = i < n ? w.mean[i] : R{} + 1, y = j < n ? w.mean[j] : R{} + 1;
      const bool inside = i < n && j < n;
      difference[i * size + j] = inside ? x * y + w.image[i * n + j] : i == j ? R{} : x * y;
      factor[i * size + j] = j == n ? x : inside ? w.triangle[i * n + j] : R{};
    }
  const Mask near = squared_norm(difference, size * size) < near_square;
  spectrum_of(difference, factor, near, w.stack, excess, values, size);
  R sum{};
  for (int i = 0; i < size; ++i) {
    const R small = lane_by_lane(pick(near, excess[i], R{}), [](double x) { return std::log1p(x); });
    const R log = pick(near, small, lane_by_lane(values[i], [](double x) { return std::log(x); }));
    sum += log * log;
  }
  return 0.5 * sum;
}

// The least of three upper bounds of d^2: f at K = 0, f at Lawson's ansatz, and the Jeffreys divergence.
inline R upper_bound(const Workspace& w) {
  const int n = w.n;
  R jeffreys = 0.5 * w.mean[0] * w.mean[0] * (1 + w.inverse[0] * w.inverse[0]);
  for (int i = 0; i < n; ++i) jeffreys += 0.5 * w.excess[i] * w.excess[i] / w.values[i];
  return smaller<double>(jeffreys, first_start(w));
}

// The pair's shortest geodesic: beyond the certified distance three starts, of which the best stays. The second one lies
// between two minimisers that needle-shaped pairs were found to have; the third is K = 0.
inline Progress shortest(const Workspace& w, R& iterations) {
  constexpr double divisors[] = {38.0, __builtin_inf()}, promising = 1.1, shorter = 1 - 1e-13;
  const int size = w.n * w.n;
  R* best = w.best;
  first_start(w);
  Progress kept = minimize(w, iterations);
  const Mask doubtful = kept.value > unique_up_to * unique_up_to;
  if (!any(doubtful)) return kept;
  for (int i = 0; i < size; ++i) best[i] = w.fibre[i];
  for (const double divisor : divisors) {
    commutator(w, R{} + divisor, w.trial);
    const Mask tried = doubtful & (evaluate(w, w.trial).value < promising * kept.value);
    for (int i = 0; i < size; ++i) w.fibre[i] = pick(tried, w.trial[i], best[i]);
    const Progress other = minimize(w, iterations);
    const Mask found = tried & (other.value < shorter * kept.value);
    for (int i = 0; i < size; ++i) best[i] = pick(found, w.fibre[i], best[i]);
    kept.value = pick(found, other.value, kept.value);
  }
  for (int i = 0; i < size; ++i) w.fibre[i] = best[i];
  return evaluate(w, w.fibre);
}

// out = a x a', for a row-major square matrix a.
inline void congruence(const R* a, const R* x, R* half, R* out, int n) {
  multiply(a, n, x, half, n, n, n);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) out[i * n + j] = dot<double>(half + i * n, a + j * n, n);
}

// Lanes beyond the last pair repeat the first one.
inline void load(R* to, const double* from, int count, int live) {
  for (int l = 0; l < Lanes<double>::count; ++l)
    for (int k = 0; k < count; ++k) to[k][l] = from[(l < live ? l : 0) * count + k];
}

inline void store(double* to, const R* from, int count, int live) {
  for (int l = 0; l < live; ++l)
    for (int k = 0; k < count; ++k) to[l * count + k] = from[k][l];
}

inline void fisher_rao_tile(R* memory, const GaussianPairs& pairs, std::int64_t at, int live) {
  const int n = pairs.n, square = n * n;
  const Workspace w(memory, n);
  load(w.whitener, pairs.covariance + at * square, square, live);
  load(w.trial, pairs.other_covariance + at * square, square, live);
  load(w.mean, pairs.other_loc + at * n, n, live);
  load(w.last, pairs.loc + at * n, n, live);
  for (int i = 0; i < n; ++i) w.mean[i] -= w.last[i];
  whiten(w);
  if (pairs.lower) {
    const R lower = lower_bound(w), upper = upper_bound(w);
    store(pairs.lower + at, &lower, 1, live);
    store(pairs.upper + at, &upper, 1, live);
  }
  if (!pairs.squared_dist) return;
  R iterations{};
  const Progress end = shortest(w, iterations);
  store(pairs.squared_dist + at, &end.value, 1, live);
  store(pairs.residual + at, &end.relative, 1, live);
  store(pairs.iterations + at, &iterations, 1, live);
  if (!pairs.velocity_loc) return;
  for (int i = 0; i < square; ++i) w.even[i] = -w.even[i];
  for (int i = 0; i < n; ++i) w.last[i] = w.velocity[square + i] * 0.70710678118654752440;
  multiply(w.frame, n, w.last, w.singular, n, n, 1);  // back to the coordinates of the pair
  store(pairs.velocity_loc + at * n, w.singular, n, live);
  congruence(w.frame, w.even, w.direction, w.image, n);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < i; ++j) w.image[i * n + j] = w.image[j * n + i] = 0.5 * (w.image[i * n + j] + w.image[j * n + i]);
  store(pairs.velocity_covariance + at * square, w.image, square, live);
}

inline bool fisher_rao(const GaussianPairs& pairs, int threads) {
  constexpr int lanes = Lanes<double>::count;
  const std::int64_t tiles = (pairs.count + lanes - 1) / lanes;
  const std::size_t bytes = sizeof(R) * Workspace::size(pairs.n);
  bool enough = true;
#pragma omp parallel num_threads(threads) if (tiles > 1)
  {
    R* memory = static_cast<R*>(std::aligned_alloc(GEOLATENT_BYTES, bytes));
    if (!memory) {
#pragma omp atomic write
      enough = false;
    }
#pragma omp for schedule(dynamic, 1)
    for (std::int64_t t = 0; t < tiles; ++t) {
      const std::int64_t begin = t * lanes, left = pairs.count - begin;
      if (memory) fisher_rao_tile(memory, pairs, begin, left < lanes ? int(left) : lanes);
    }
    std::free(memory);
  }
  return enough;
}

}  // namespace geodesic
}  // namespace
}  // namespace geolatent

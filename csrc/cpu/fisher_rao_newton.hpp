// Newton's method on the fibre of the Fisher-Rao lift: minimises f(K) over skew K, one pair a lane.
//
// Moving K along a skew D turns the velocity P into
//     P'[D] = 1/2 (D P + P D) + U H(U_1' D V) V',
// with D padded by a zero row, U_1 the first n rows of U, and H multiplying the symmetric part of entry (i, j) by
// c(s_i - s_j), the antisymmetric part by c(s_i + s_j), the last row by c(s_j), c(t) = (t/2) coth(t/2). The Newton system
// skew(P_1'[D]) = -skew(P_1) goes to conjugate gradients, which stop at negative curvature.
//
// Sources: Nocedal & Wright 2006, algorithm 7.1 (line-search Newton-CG).
#pragma once

#include "cpu/fisher_rao_lift.hpp"

namespace geolatent {
namespace {
namespace geodesic {

// (t/2) coth(t/2) from z = exp(t/2).
GEOLATENT_INLINE R half_coth(R t, R z) {
  const R inverse = 1 / z, gap = z - inverse;
  const Mask small = magnitude<double>(t) < 1e-4;
  return pick(small, 1 + t * t * (1.0 / 12), 0.5 * t * (z + inverse) / pick(small, R{} + 1, gap));
}

// U, an orthonormal basis whose first n vectors are the normalised columns of B: Householder's QR of B.
inline void complete_left(const Workspace& w) {
  const int n = w.n, rows = n + 1, height = 2 * n + 1;
  R *reflectors = w.scratch, *factor = w.scratch + rows * rows;
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < rows; ++i) reflectors[j * rows + i] = w.stack[j * height + i];
  for (int j = 0; j < n; ++j) {
    R* x = reflectors + j * rows;
    const R norm = root(dot<double>(x + j, x + j, rows - j));
    const Mask none = norm == 0;
    const R scale = 1 / pick(none, R{} + 1, norm);
    for (int i = j; i < rows; ++i) x[i] *= scale;
    const Mask negative = x[j] < 0;
    factor[j] = pick(none, R{}, 1 / (1 + magnitude<double>(x[j])));
    x[j] = pick(negative, x[j] - 1, x[j] + 1);
    for (int k = j + 1; k < n; ++k) {
      R* y = reflectors + k * rows;
      const R along = factor[j] * dot<double>(x + j, y + j, rows - j);
      for (int i = j; i < rows; ++i) y[i] -= along * x[i];
    }
    factor[rows + j] = pick(negative, R{} + 1, R{} - 1);  // sign of the diagonal of the triangle
  }
  for (int i = 0; i < rows * rows; ++i) w.left[i] = broadcast<double>(i % (rows + 1) == 0);
  for (int j = n - 1; j >= 0; --j) {
    const R* x = reflectors + j * rows;
    for (int c = j; c < rows; ++c) {
      R along{};
      for (int i = j; i < rows; ++i) along += x[i] * w.left[i * rows + c];
      along *= factor[j];
      for (int i = j; i < rows; ++i) w.left[i * rows + c] -= along * x[i];
    }
  }
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < n; ++j) w.left[i * rows + j] *= factor[rows + j];
}

// The covariance half way along, preconditioner of the Newton system: the inverse Hessian is close to D -> S D S, since a
// displacement D of the fibre has length |S^-1/2 D S^-1/2| where the covariance is S, and costs least in the middle.
inline void midpoint_covariance(const Workspace& w) {
  const int n = w.n;
  R *information = w.midpoint, *inverse = w.scratch;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j <= i; ++j) {
      R sum = 0.5 * w.left[i * (n + 1) + n] * w.left[j * (n + 1) + n];
      for (int k = 0; k < n; ++k) {
        const R u = w.left[i * (n + 1) + k], v = w.right[i * n + k], p = w.left[j * (n + 1) + k], q = w.right[j * n + k];
        sum += 0.25 * ((u + v) * (p + q) * w.half[k] + (u - v) * (p - q) / w.half[k]);
      }
      information[i * n + j] = information[j * n + i] = sum;
    }
  cholesky(information, n);
  for (int i = 0; i < n * n; ++i) inverse[i] = broadcast<double>(i % (n + 1) == 0);
  forward_substitute(information, inverse, n, n);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j <= i; ++j) {
      R sum{};
      for (int k = i; k < n; ++k) sum += inverse[k * n + i] * inverse[k * n + j];
      w.midpoint[i * n + j] = w.midpoint[j * n + i] = sum;
    }
}

inline void curvature_tables(const Workspace& w) {
  const int n = w.n;
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j <= i; ++j) {
      w.minus[i * n + j] = w.minus[j * n + i] = half_coth(w.singular[i] - w.singular[j], w.half[i] / w.half[j]);
      w.plus[i * n + j] = w.plus[j * n + i] = half_coth(w.singular[i] + w.singular[j], w.half[i] * w.half[j]);
    }
    w.last[i] = half_coth(w.singular[i], w.half[i]);
  }
}

inline void hessian_times(const Workspace& w, const R* direction, R* image) {
  const int n = w.n;
  R *turned = image, *inner = w.scratch, *outer = w.scratch + (n + 1) * (n + 1);
  multiply(direction, n, w.right, turned, n, n, n);
  for (int i = 0; i <= n; ++i)
    for (int j = 0; j < n; ++j) {
      R sum{};
      for (int k = 0; k < n; ++k) sum += w.left[k * (n + 1) + i] * turned[k * n + j];
      inner[i * n + j] = i < n ? sum : sum * w.last[j];
    }
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < i; ++j) {
      const R even = 0.5 * w.minus[i * n + j] * (inner[i * n + j] + inner[j * n + i]);
      const R odd = 0.5 * w.plus[i * n + j] * (inner[i * n + j] - inner[j * n + i]);
      inner[i * n + j] = even + odd;
      inner[j * n + i] = even - odd;
    }
  for (int i = 0; i <= n; ++i)
    for (int j = 0; j < n; ++j) outer[i * n + j] = dot<double>(inner + i * n, w.right + j * n, n);
  multiply(w.left, n + 1, outer, inner, n, n + 1, n);
  multiply(direction, n, w.even, outer, n, n, n);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j <= i; ++j) {
      const R entry = 0.5 * (inner[i * n + j] + outer[i * n + j] - inner[j * n + i] - outer[j * n + i]);
      image[i * n + j] = entry;
      image[j * n + i] = -entry;
    }
}

// image = S D S, skew.
inline void precondition(const Workspace& w, const R* direction, R* image) {
  const int n = w.n;
  multiply(w.midpoint, n, direction, w.scratch, n, n, n);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j <= i; ++j) {
      const R entry = dot<double>(w.scratch + i * n, w.midpoint + j * n, n);
      image[i * n + j] = i == j ? R{} : entry;
      image[j * n + i] = i == j ? R{} : -entry;
    }
}


struct Progress {
  R value, relative;  // f and |f'| / |P|
};

// Everything at the skew matrix `fibre`, up to the gradient.
inline Progress evaluate(const Workspace& w, const R* fibre) {
  const int n = w.n;
  lift(w, fibre);
  orthogonalize<double>(w.stack, n, n + 1, n);
  const R value = spectrum(w);
  R square{};
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      const R p = w.velocity[i * n + j], q = w.velocity[j * n + i];
      w.gradient[i * n + j] = 0.5 * (p - q);
      w.even[i * n + j] = 0.5 * (p + q);
      square += 0.25 * (p - q) * (p - q);
    }
  return {value, root(square / pick(value > 0, 2 * value, value + 1))};
}

// Solves the Newton system in the lanes of `active` to the relative accuracy `forcing`.
inline void newton_direction(const Workspace& w, Mask active, R forcing) {
  const int n = w.n, size = n * n, most = n * (n - 1) / 2 + 4 < 300 ? n * (n - 1) / 2 + 4 : 300;
  complete_left(w);
  midpoint_covariance(w);
  curvature_tables(w);
  for (int i = 0; i < size; ++i) {
    w.direction[i] = R{};
    w.residual[i] = -w.gradient[i];
  }
  precondition(w, w.residual, w.conjugate);
  R square = dot<double>(w.residual, w.conjugate, size);
  const R goal = forcing * forcing * square;
  Mask running = active & (square > 0);
  for (int step = 0; step < most && any(running); ++step) {
    hessian_times(w, w.conjugate, w.image);
    const R bend = dot<double>(w.conjugate, w.image, size);
    const Mask convex = running & (bend > 0);
    const Mask first = step == 0 ? running & ~convex : Mask{};  // down the gradient
    const R length = pick(convex | first, square / pick(bend == 0, R{} + 1, magnitude<double>(bend)), R{});
    for (int i = 0; i < size; ++i) {
      w.direction[i] += length * w.conjugate[i];
      w.residual[i] -= length * w.image[i];
    }
    precondition(w, w.residual, w.image);
    const R next = dot<double>(w.residual, w.image, size);
    running = convex & (next > goal);
    const R turn = next / pick(square > 0, square, square + 1);
    for (int i = 0; i < size; ++i) w.conjugate[i] = w.image[i] + turn * w.conjugate[i];
    square = next;
  }
}

// Minimises from the skew matrix in w.fibre; leaves the minimiser there and the workspace evaluated at it.
inline Progress minimize(const Workspace& w, R& iterations) {
  constexpr int most_steps = 60, most_halvings = 30;
  constexpr double sufficient = 1e-4, noise = 1e-14;
  const int size = w.n * w.n;
  const double floor = 4 * Lanes<double>::eps;
  Progress now = evaluate(w, w.fibre);
  Mask active = now.relative > floor;
  for (int steps = 0; steps < most_steps && any(active); ++steps) {
    newton_direction(w, active, smaller<double>(now.relative, R{} + 0.1));
    const R slope = dot<double>(w.gradient, w.direction, size);
    R step = pick(active, R{} + 1, R{});
    Progress next = now;
    Mask wanting = active;
    for (int halvings = 0; halvings <= most_halvings && any(wanting); ++halvings) {
      if (halvings == most_halvings) step = pick(wanting, R{}, step);
      for (int i = 0; i < size; ++i) w.trial[i] = w.fibre[i] + step * w.direction[i];
      next = evaluate(w, w.trial);
      wanting &= ~(next.value <= now.value + sufficient * step * slope + noise * now.value);
      step = pick(wanting, 0.5 * step, step);
    }
    for (int i = 0; i < size; ++i) w.fibre[i] = w.trial[i];
    iterations += pick(active, R{} + 1, R{});
    const Mask stalled = (next.relative > 0.5 * now.relative) & (next.value >= (1 - noise) * now.value);
    active &= (next.relative > floor) & ~stalled & (step > 0);
    now = next;
  }
  return now;
}

}  // namespace geodesic
}  // namespace
}  // namespace geolatent

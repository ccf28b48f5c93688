// Implicit QR iteration for the singular values of bidiagonal matrices, one a lane, in the windows of symmetric_qr.hpp:
// a sweep is one of the tridiagonal B'B, on B itself.
// Source: Golub & Van Loan, Matrix Computations, 8.6.2; shift zero as in Demmel & Kahan 1990, Accurate singular values of
// bidiagonal matrices.
#pragma once

#include "cpu/each.hpp"
#include "cpu/lanes.hpp"
#include "cpu/symmetric_qr.hpp"

namespace geolatent {
namespace {

// The eigenvalue of the trailing 2 x 2 block of B'B that is nearer to the corner; zero where B is singular but for
// rounding: then the sweep brings a zero to the end.
template <class T, int G>
void choose_bidiagonal_shifts(Tridiagonal<T, G>& m) {
  const V<T> zero{}, one = broadcast<T>(T(1));
  EACH {
    V<T> above = zero, corner = zero, sub = zero, far_sub = zero, least = one;
    for (int k = m.last; k >= m.first; --k) {
      const M<T> inside = (m.lo[g] <= T(k)) & (m.hi[g] >= T(k)), bottom = m.hi[g] == T(k);
      least = inside ? smaller<T>(least, magnitude<T>(m.d[g][k])) : least;
      if (k == 0 || !any(bottom)) continue;
      above = bottom ? m.d[g][k - 1] : above;
      corner = bottom ? m.d[g][k] : corner;
      sub = bottom ? m.e[g][k - 1] : sub;
      if (k > 1) far_sub = bottom & (m.lo[g] < T(k - 1)) ? m.e[g][k - 2] : far_sub;
    }
    const V<T> top = above * above + far_sub * far_sub, low = corner * corner + sub * sub, off = above * sub;
    const V<T> half = T(0.5) * (top - low), r = root(half * half + off * off);
    const V<T> far = half + opposite_where<T>(half < zero, r);
    const V<T> shift = low - (far == zero ? zero : off * off / far);
    m.shift[g] = least > Lanes<T>::eps ? shift : zero;
  });
}

// The rotation that brings (x, z) to (length, 0); the identity where z vanishes.
template <class T>
struct Rotation {
  V<T> c, s, length;

  Rotation(V<T> x, V<T> z) {
    const V<T> zero{}, one = broadcast<T>(T(1)), square = x * x + z * z;
    const M<T> live = z * z > Lanes<T>::smallest_square;
    const V<T> inverse = inverse_root(live ? square : one);
    c = live ? x * inverse : one;
    s = live ? z * inverse : zero;
    length = live ? square * inverse : x;
  }
};

// One sweep from the top of the windows to their bottom: two rotations a row, of columns and of rows.
template <class T, int G>
void sweep_bidiagonal(Tridiagonal<T, G>& m) {
  V<T> x[G], z[G];  // the entry beside the bulge, and the bulge
  EACH { x[g] = z[g] = V<T>{}; });
  for (int k = m.first; k < m.last; ++k) {
    const bool starts = m.starts >> k & 1;
    EACH {
      V<T>*d = m.d[g] + k, *e = m.e[g] + k;
      M<T> inside = M<T>{} - 1;
      V<T> before = x[g];
      if (starts) {
        const M<T> begin = (m.lo[g] == T(k)) & (m.hi[g] > T(k)), plain = m.shift[g] == V<T>{};
        inside = ~begin;
        x[g] = begin ? (plain ? d[0] : d[0] * d[0] - m.shift[g]) : x[g];
        z[g] = begin ? (plain ? e[0] : d[0] * e[0]) : z[g];
      }
      const Rotation<T> columns(x[g], z[g]);
      if (k > m.first) e[-1] = inside ? columns.length : before;
      const V<T> across = columns.c * e[0] - columns.s * d[0], below = columns.c * d[1];
      const Rotation<T> rows(columns.c * d[0] + columns.s * e[0], columns.s * d[1]);
      d[0] = rows.length;
      x[g] = rows.c * across + rows.s * below;
      d[1] = rows.c * below - rows.s * across;
      z[g] = rows.s * e[1];
      e[1] = rows.c * e[1];
    });
  }
  EACH { m.e[g][m.last - 1] = x[g]; });
}

}  // namespace
}  // namespace geolatent

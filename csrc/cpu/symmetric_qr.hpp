// Implicit QR iteration with Wilkinson's shift on tridiagonal matrices, one a lane. Each lane has its own window
// [lo, hi] of rows, the lowest block that is not yet diagonal; a sweep runs over the union of the windows, and outside its
// own window a lane meets the identity.
// Source: Golub & Van Loan, Matrix Computations, 8.3.4 and 8.3.5.
#pragma once

#include <cstdint>

#include "cpu/each.hpp"
#include "cpu/lanes.hpp"

namespace geolatent {
namespace {

// G registers of tridiagonal matrices and where their iteration stands, rows as numbers that compare like the entries.
template <class T, int G>
struct Tridiagonal {
  V<T>*d[G], *e[G];            // diagonal; subdiagonal, closed by a zero
  V<T>*cosine[G], *sine[G];    // the rotations of the last sweep
  V<T> lo[G], hi[G], shift[G];  // hi = 0: all eigenvalues found
  int first, last;             // the union of the windows; last = 0: every lane has ended
  std::uint64_t starts;        // bit k: some lane's window starts at row k
  T negligible;                // what counts as zero beside any entry
};

// At the row k where a block begins: drops it if it is one row, else opens the window there.
template <class T, int G>
inline void close_symmetric_block(Tridiagonal<T, G>& m, int g, M<T> begins, int k, M<T>& found) {
  const M<T> block = begins & (m.hi[g] >= T(k)) & ~found, open = block & (m.hi[g] > T(k));
  m.hi[g] = block & ~open & (m.hi[g] > V<T>{}) ? broadcast<T>(T(k - 1)) : m.hi[g];
  m.lo[g] = open ? broadcast<T>(T(k)) : m.lo[g];
  found |= open;
  if (any(open)) m.starts |= std::uint64_t(1) << k;
}

// Sets negligible subdiagonal entries to zero, finds every lane's lowest block and its shift: the eigenvalue of the
// trailing 2 x 2 block that is nearer to the corner.
template <class T, int G>
void deflate_symmetric(Tridiagonal<T, G>& m) {
  const V<T> zero{};
  M<T> found[G]{};
  m.starts = 0;
  for (int k = m.last; k > 0; --k) EACH {
      const V<T> sub = magnitude<T>(m.e[g][k - 1]);
      const M<T> small =
          sub <= Lanes<T>::eps * (magnitude<T>(m.d[g][k - 1]) + magnitude<T>(m.d[g][k])) + m.negligible;
      if (!any(small)) return;
      m.e[g][k - 1] = small ? zero : m.e[g][k - 1];
      close_symmetric_block<T, G>(m, g, small, k, found[g]);
    });
  V<T> lo = broadcast<T>(T(m.last)), down = zero;
  EACH {
    close_symmetric_block<T, G>(m, g, M<T>{} - 1, 0, found[g]);
    const M<T> active = m.hi[g] > zero;
    lo = active ? smaller<T>(lo, m.lo[g]) : lo;
    down = smaller<T>(down, zero - m.hi[g]);
  });
  m.last = -int(lowest(down));
  m.first = int(lowest(lo));
}

template <class T, int G>
void choose_symmetric_shifts(Tridiagonal<T, G>& m) {
  const V<T> zero{};
  EACH {
    V<T> above = zero, corner = zero, sub = zero;
    for (int k = m.last; k > 0; --k) {
      const M<T> bottom = m.hi[g] == T(k);
      above = bottom ? m.d[g][k - 1] : above;
      corner = bottom ? m.d[g][k] : corner;
      sub = bottom ? m.e[g][k - 1] : sub;
    }
    const V<T> half = T(0.5) * (above - corner), r = root(half * half + sub * sub);
    const V<T> far = half + opposite_where<T>(half < zero, r);
    m.shift[g] = corner - (far == zero ? zero : sub * sub / far);
  });
}

// One sweep of rotations from the top of the windows to their bottom.
template <class T, int G>
void sweep_symmetric(Tridiagonal<T, G>& m) {
  const V<T> zero{}, one = broadcast<T>(T(1));
  V<T> x[G], z[G];  // the entry above the bulge, and the bulge
  EACH {
    x[g] = zero;
    z[g] = zero;
  });
  for (int k = m.first; k < m.last; ++k) {
    const bool starts = m.starts >> k & 1;
    EACH {
      const V<T> upper = m.d[g][k], lower = m.d[g][k + 1], sub = m.e[g][k], below = m.e[g][k + 1];
      V<T> from = x[g], back = from;
      M<T> inside = M<T>{} - 1;
      if (starts) {
        const M<T> begin = (m.lo[g] == T(k)) & (m.hi[g] > T(k));
        inside = ~begin;
        from = begin ? upper - m.shift[g] : from;
        back = begin ? zero : back;
        z[g] = begin ? sub : z[g];
      }
      const V<T> square = from * from + z[g] * z[g];
      const M<T> live = z[g] * z[g] > Lanes<T>::smallest_square;
      const V<T> inverse = inverse_root(live ? square : one);
      const V<T> c = live ? from * inverse : one, s = live ? z[g] * inverse : zero;
      if (k > m.first) m.e[g][k - 1] = live & inside ? square * inverse : back;
      const V<T> p = c * upper + s * sub, q = c * sub + s * lower;
      m.d[g][k] = c * p + s * q;
      m.d[g][k + 1] = c * (c * lower - s * sub) - s * (c * sub - s * upper);
      x[g] = c * q - s * p;
      z[g] = s * below;
      m.e[g][k + 1] = c * below;
      m.cosine[g][k] = c;
      m.sine[g][k] = s;
    });
  }
  EACH { m.e[g][m.last - 1] = x[g]; });
}

// Rotates the rows k and k + 1 of the basis for every rotation of the last sweep, R columns at a time.
template <class T, int R>
inline void rotate_columns(V<T>* basis, int stride, int first, int last, const V<T>* cosine, const V<T>* sine) {
  V<T> carried[R];
  for (int r = 0; r < R; ++r) carried[r] = basis[first * stride + r];
  for (int k = first; k < last; ++k) {
    const V<T> c = cosine[k], s = sine[k];
    V<T>*upper = basis + k * stride, *lower = upper + stride;
    for (int r = 0; r < R; ++r) {
      const V<T> next = lower[r];
      upper[r] = c * carried[r] + s * next;
      carried[r] = c * next - s * carried[r];
    }
  }
  for (int r = 0; r < R; ++r) basis[last * stride + r] = carried[r];
}

template <class T>
void rotate_basis(V<T>* basis, int n, int stride, int first, int last, const V<T>* cosine, const V<T>* sine) {
  constexpr int R = GEOLATENT_BYTES == 64 ? 8 : 4;
  int j = 0;
  for (; j + R <= n; j += R) rotate_columns<T, R>(basis + j, stride, first, last, cosine, sine);
  for (; j < n; ++j) rotate_columns<T, 1>(basis + j, stride, first, last, cosine, sine);
}

}  // namespace
}  // namespace geolatent

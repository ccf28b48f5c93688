// Where the QR iteration stands in every lane: the windows of unreduced rows, their deflation and their shifts.
#pragma once

#include <cstdint>

#include "cpu/each.hpp"
#include "cpu/lanes.hpp"

namespace geolatent {
namespace {

// Window and progress of the lanes, as numbers so that they compare like the entries.
template <class T, int G>
struct Windows {
  V<T> lo[G], hi[G];       // hi < 0: all eigenvalues found
  V<T> since[G];           // sweeps since the last deflation
  V<T> shift[G], imag[G];  // the double shift: shift +- i imag
  int first, last;         // the union of the windows; last < 0: every lane has ended
  std::uint64_t starts;    // bit k: some lane's window starts at row k
};

// At the row k where a block begins: splits off the rows below it if they are one or two, else opens the window there.
template <class T, int G>
inline void close_block(Windows<T, G>& w, int g, M<T> begins, int k, M<T>& found) {
  const M<T> block = begins & (w.hi[g] >= T(k)) & ~found, done = block & (w.hi[g] <= T(k + 1)), open = block & ~done;
  w.hi[g] = done ? broadcast<T>(T(k - 1)) : w.hi[g];
  w.lo[g] = open ? broadcast<T>(T(k)) : w.lo[g];
  found |= open;
  if (any(open)) w.starts |= std::uint64_t(1) << k;
}

// Sets negligible subdiagonal entries to zero and finds every lane's lowest block of three rows or more.
template <class T, int G>
inline void find_windows(V<T>* const* h, int stride, Windows<T, G>& w) {
  const T ulp = 2 * Lanes<T>::eps;
  M<T> found[G];
  V<T> before[G], diagonal[G];
  w.starts = 0;
  EACH {
    found[g] = M<T>{};
    before[g] = w.hi[g];
    diagonal[g] = h[g][w.last * (stride + 1)];
  });
  for (int k = w.last; k > 0; --k) EACH {
      V<T>* at = h[g] + k * stride + k;
      const V<T> above = at[-stride - 1], mine = diagonal[g], sub = magnitude<T>(at[-1]);
      diagonal[g] = above;
      const M<T> candidate = sub <= ulp * (magnitude<T>(above) + magnitude<T>(mine)) + Lanes<T>::floor;
      if (!any(candidate)) return;
      const V<T> cross = sub * magnitude<T>(at[-stride]), gap = magnitude<T>(mine) * magnitude<T>(above - mine);
      const M<T> small = candidate & ((sub <= Lanes<T>::floor) | (cross <= ulp * gap));
      at[-1] = small ? V<T>{} : at[-1];
      close_block<T, G>(w, g, small, k, found[g]);
    });
  EACH {
    close_block<T, G>(w, g, M<T>{} - 1, 0, found[g]);
    w.since[g] = w.hi[g] == before[g] ? w.since[g] + T(1) : V<T>{};
  });
}

// The shifts: both eigenvalues of the trailing 2 x 2 block if complex, twice the one nearer to the corner if real; an
// exceptional pair after ten sweeps without a deflation.
template <class T, int G>
inline void choose_shifts(V<T>* const* h, int stride, Windows<T, G>& w, int lowest_hi) {
  const V<T> zero{};
  EACH {
    V<T> a = zero, b = zero, c = zero, d = zero;
    for (int k = w.last; k >= lowest_hi; --k) {
      const V<T>* at = h[g] + k * stride + k;
      const M<T> bottom = w.hi[g] == T(k);
      a = bottom ? at[-stride - 1] : a;
      b = bottom ? at[-stride] : b;
      c = bottom ? at[-1] : c;
      d = bottom ? at[0] : d;
    }
    const V<T> p = T(0.5) * (a - d), q = p * p + b * c, r = root(magnitude<T>(q));
    const M<T> real = q >= zero;
    w.shift[g] = d + (real ? (p < zero ? p + r : p - r) : p);
    w.imag[g] = real ? zero : r;
    const M<T> stuck = (w.since[g] == T(10)) | (w.since[g] == T(20)) | (w.since[g] == T(30));
    if (!any(stuck)) return;
    const V<T> s = magnitude<T>(c) + magnitude<T>(b);
    w.shift[g] = stuck ? T(0.75) * s + d : w.shift[g];
    w.imag[g] = stuck ? T(0.6614378) * s : w.imag[g];
  });
}

template <class T, int G>
void deflate(V<T>* const* h, int n, int stride, Windows<T, G>& w) {
  find_windows<T, G>(h, stride, w);
  V<T> lo = broadcast<T>(T(n)), hi = lo, down = lo;
  EACH {
    const M<T> active = w.hi[g] >= V<T>{};
    lo = active ? smaller<T>(lo, w.lo[g]) : lo;
    hi = active ? smaller<T>(hi, w.hi[g]) : hi;
    down = smaller<T>(down, V<T>{} - w.hi[g]);
  });
  w.last = -int(lowest(down));
  if (w.last < 0) return;
  w.first = int(lowest(lo));
  choose_shifts<T, G>(h, stride, w, int(lowest(hi)));
}

}  // namespace
}  // namespace geolatent

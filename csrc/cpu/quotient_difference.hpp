// Squared singular values of bidiagonal matrices, one matrix a lane, by the differential quotient-difference algorithm.
//
// A pass replaces B B' - s I by a similar bidiagonal product; s is Laguerre's lower bound of the smallest eigenvalue, from
// the traces of (B B')^-1 and (B B')^-2, which the pass before has summed on its way: it never goes too far, and
// converges to the third order. Every lane has its own shift. Lanes whose last value is found go on without it while
// they wait for the others, so that neighbours can change the last digits of a result, and nothing else. Where a matrix
// falls apart the shift applies to its last part alone.
//
// Sources: Fernando & Parlett 1994, Accurate singular values and differential qd algorithms; von Matt 1997, The
// orthogonal qd-algorithm, for the shift.
#pragma once

#include "cpu/each.hpp"
#include "cpu/lanes.hpp"

namespace geolatent {
namespace {

// A square that is nothing beside matrices of unit size; and one far below it whose inverse can be squared.
template <class T>
constexpr T negligible_square = 16 * Lanes<T>::eps * Lanes<T>::eps;
template <class T>
constexpr T smallest_quotient = negligible_square<T> / 4096;

// Squares q of the diagonals and e of the superdiagonals; by how much q has been shifted, in all and alone; what is found.
template <class T, int G>
struct Bidiagonal {
  V<T>*q[G], *e[G], *moved[G], *found[G];
  V<T> all_moved[G];
};

// Of the leading entries; `lo` is where their last part begins.
template <class T>
struct Traces {
  V<T> lo, first, second;  // traces of (B B')^-1 and of (B B')^-2
};

// The state of a lane between two entries of a pass.
template <class T>
struct Step {
  V<T> carried, e, c, g;  // c, g: the diagonal entry of (B B')^-1 and the squares beside it
};

// Of `count` entries.
template <class T>
V<T> laguerre_shift(const Traces<T>& traces, V<T> count) {
  const V<T> rounding = T(16) * Lanes<T>::eps * count, square = traces.first * traces.first;  // of the traces, relative
  const V<T> variance = (count - 1) * (count * (1 + rounding) * traces.second - square);
  const V<T> spread = larger<T>(variance, Lanes<T>::eps * square);
  V<T> inverse, size = quotient(count, traces.first + spread * inverse_root(spread), inverse);
  const M<T> lost = ~(size > V<T>{});  // the squares overflow: Newton's bound
  if (any(lost)) size = lost ? 1 / traces.first : size;
  return size * (1 - rounding);
}

template <class T, bool parts>
GEOLATENT_INLINE void quotient_difference_step(V<T>* q, V<T>* e, V<T>* moved, int k, bool ends, V<T> shift, V<T> lo,
                                               Step<T>& step, Traces<T>& traces) {
  const V<T> zero{}, at = broadcast<T>(T(k)), floor = broadcast<T>(smallest_quotient<T>);
  V<T> s = shift;
  if (parts) {
    s = at >= lo ? shift : zero;
    moved[k] += s;
  }
  const V<T> beside = e[k], next = ends ? zero : q[k + 1];
  const V<T> d = larger<T>(step.carried - s, floor), sum = d + beside;
  V<T> inverse;
  const V<T> carried = quotient(d * next, sum, inverse);
  if (k > 0) {
    const M<T> apart = step.e <= negligible_square<T>;
    step.e = apart ? zero : step.e;
    traces.lo = apart ? at : traces.lo;
    if (parts) {
      step.c = apart ? zero : step.c;
      step.g = apart ? zero : step.g;
      traces.first = apart ? zero : traces.first;
      traces.second = apart ? zero : traces.second;
    }
    e[k - 1] = step.e;
  }
  const V<T> ratio = step.e * inverse;
  step.g = ratio * (step.c * step.c + step.g);
  step.c = inverse + ratio * step.c;
  traces.first += step.c;
  traces.second += step.c * step.c + T(2) * step.g;
  q[k] = sum;
  step.e = beside * (next * inverse);
  step.carried = carried;
}

// One pass over the entries up to `last`; `before` becomes the traces without the last entry.
template <class T, int G, bool parts>
void quotient_difference_pass(const Bidiagonal<T, G>& b, int last, const V<T>* shift, const V<T>* lo, Traces<T>* traces,
                              Traces<T>* before) {
  Step<T> step[G]{};
  Traces<T> present[G]{};
  EACH { step[g].carried = b.q[g][0]; });
  for (int k = 0; k < last; ++k) EACH {
      quotient_difference_step<T, parts>(b.q[g], b.e[g], b.moved[g], k, false, shift[g], lo[g], step[g], present[g]);
    });
  EACH {
    before[g] = present[g];
    quotient_difference_step<T, parts>(b.q[g], b.e[g], b.moved[g], last, true, shift[g], lo[g], step[g], present[g]);
    traces[g] = present[g];
    b.e[g][last] = V<T>{};
  });
}

// The lanes whose last entry has come off: that of B B' is an eigenvalue to rounding, since what couples it to the
// others, e q, is nothing beside its distance from them, at least 1 / trace - q.
template <class T>
M<T> comes_off(V<T> q, V<T> e, V<T> value, V<T> trace) {
  return (e <= negligible_square<T>) | (e * q * trace <= T(0.5) * Lanes<T>::eps * value * (1 - q * trace));
}

// What the passes so far have led to.
template <class T, int G>
struct Progress {
  V<T> shift[G], lo[G];  // of the next pass
  M<T> off[G];           // the lanes that wait for the others to find the last value
  bool parts;            // whether the shift applies from `lo` on
};

// Looks at a pass up to `last`, and prepares the next. Returns whether every lane has found its last value.
template <class T, int G>
bool take_stock(const Bidiagonal<T, G>& b, int last, const Traces<T>* traces, const Traces<T>* before,
                Progress<T, G>& progress) {
  bool waiting = false, parts = false;
  EACH {
    V<T>& e = b.e[g][last - 1];
    e = progress.off[g] ? V<T>{} : e;  // the pass has taken it into account
    const V<T> value = b.q[g][last] + (b.moved[g][last] + b.all_moved[g]);
    const M<T> fresh = ~progress.off[g] & comes_off<T>(b.q[g][last], e, value, before[g].first);
    b.found[g][last] = fresh ? value : b.found[g][last];
    progress.off[g] |= fresh;
    waiting |= any(M<T>(~progress.off[g]));
  });
  EACH {
    const M<T> off = progress.off[g];
    const V<T> zero{}, end = broadcast<T>(T(last)) - (off ? zero + 1 : zero);
    const Traces<T> known = {off ? before[g].lo : traces[g].lo, off ? before[g].first : traces[g].first,
                             off ? before[g].second : traces[g].second};
    progress.shift[g] = laguerre_shift<T>(known, end + 1 - (progress.parts ? known.lo : zero));
    progress.lo[g] = known.lo;
    parts |= any(M<T>((known.lo > zero) & (progress.parts ? known.lo <= end : known.lo < end)));
    if (!waiting) progress.off[g] = M<T>{};
  });
  progress.parts = parts;
  return !waiting;
}

// The last two, of which e[1] is part of the second diagonal entry of B B'.
template <class T>
void last_two(const V<T>* q, const V<T>* e, V<T>* found) {
  const V<T> first = q[0] + e[0], second = q[1] + e[1], half = T(0.5) * (first - second);
  const V<T> large = T(0.5) * (first + second) + root(half * half + e[0] * q[1]);
  const V<T> determinant = q[0] * second + e[0] * e[1];
  const M<T> apart = e[0] == V<T>{};  // they may have moved by different shifts
  found[0] = apart ? first : large;
  found[1] = apart ? second : determinant / larger<T>(large, broadcast<T>(smallest_quotient<T>));
}

// `found` becomes the squared singular values, in no particular order. Returns how many of the first are not.
template <class T, int G>
int squared_singular_values(Bidiagonal<T, G>& b, int n) {
  const int most_passes = 30 + 8 * n;
  Traces<T> traces[G], before[G];
  Progress<T, G> progress{};
  EACH {
    b.all_moved[g] = V<T>{};
    for (int k = 0; k < n; ++k) b.moved[g][k] = V<T>{};
  });
  int last = n - 1;
  for (int passes = 0; last > 1; ++passes) {
    if (passes == most_passes) return last + 1;
    if (progress.parts) {
      quotient_difference_pass<T, G, true>(b, last, progress.shift, progress.lo, traces, before);
    } else {
      quotient_difference_pass<T, G, false>(b, last, progress.shift, progress.lo, traces, before);
      EACH { b.all_moved[g] += progress.shift[g]; });
    }
    if (take_stock<T, G>(b, last, traces, before, progress)) --last;
  }
  EACH {
    if (n == 1) b.found[g][0] = b.q[g][0];
    else last_two<T>(b.q[g], b.e[g], b.found[g]);
    for (int k = 0; k <= last; ++k) b.found[g][k] += b.moved[g][k] + b.all_moved[g];
  });
  return 0;
}

}  // namespace
}  // namespace geolatent

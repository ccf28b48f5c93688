// One-sided Jacobi singular value decomposition, one matrix a lane: rotates the columns of X until they are orthogonal and
// takes the rows of Y along. Then the columns of X are the left singular vectors times the singular values, and Y holds
// Y V; with Y = I it is V itself. Of two columns that are rotated the longer one goes first. Small singular values keep
// their relative accuracy, whatever the scaling of the columns.
//
// Deviations from the reference: cyclic order without pivoting, since lanes in lockstep cannot follow their own pivots.
//
// Source: Demmel & Veselic 1992, Jacobi's method is more accurate than QR.
#pragma once

#include "cpu/lanes.hpp"

namespace geolatent {
namespace {

template <class T>
GEOLATENT_INLINE V<T> dot(const V<T>* a, const V<T>* b, int length) {
  V<T> even{}, odd{};
  int i = 0;
  for (; i + 1 < length; i += 2) {
    even += a[i] * b[i];
    odd += a[i + 1] * b[i + 1];
  }
  if (i < length) even += a[i] * b[i];
  return even + odd;
}

template <class T>
GEOLATENT_INLINE V<T> select(M<T> mask, V<T> yes, V<T> no) {
  return mask ? yes : no;
}

// Column j of the stack [X; Y] begins at columns + j * (rows + carried).
template <class T>
void orthogonalize(V<T>* columns, int count, int rows, int carried) {
  constexpr int most_sweeps = 30;
  const int height = rows + carried;
  const V<T> tolerance = broadcast<T>(4 * Lanes<T>::eps * Lanes<T>::eps);
  for (int sweeps = 0; sweeps < most_sweeps; ++sweeps) {
    M<T> rotated{};
    for (int i = 0; i + 1 < count; ++i)
      for (int j = i + 1; j < count; ++j) {
        V<T>*x = columns + i * height, *y = columns + j * height;
        const V<T> a = dot<T>(x, x, rows), b = dot<T>(y, y, rows), c = dot<T>(x, y, rows);
        const M<T> oblique = c * c > tolerance * (a * b);
        if (!any(oblique)) continue;
        rotated |= oblique;
        const V<T> zeta = (b - a) / (2 * select<T>(oblique, c, broadcast<T>(1)));
        const V<T> size = magnitude<T>(zeta) + root(1 + zeta * zeta);
        V<T> tangent = select<T>(zeta < 0, -1 / size, 1 / size);
        tangent = select<T>(oblique, tangent, V<T>{});
        const V<T> across = 1 / root(1 + tangent * tangent), along = across * tangent;
        const M<T> swap = oblique & (a < b);  // the same rotation, a quarter turn further
        const V<T> cosine = select<T>(swap, along, across), sine = select<T>(swap, -across, along);
        for (int k = 0; k < height; ++k) {
          const V<T> from = x[k], to = y[k];
          x[k] = cosine * from - sine * to;
          y[k] = sine * from + cosine * to;
        }
      }
    if (!any(rotated)) return;
  }
}

}  // namespace
}  // namespace geolatent

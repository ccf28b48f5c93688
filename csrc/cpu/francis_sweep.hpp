// One implicit double-shift QR sweep over a tile of Hessenberg matrices.
#pragma once

#include "cpu/deflation.hpp"
#include "cpu/each.hpp"
#include "cpu/lanes.hpp"

namespace geolatent {
namespace {

// I - t v v' with v = (1, v1, v2), t v = (t0, t1, t2); the identity where all five are zero.
template <class T, int G>
struct Reflector {
  V<T> v1[G], v2[G], t0[G], t1[G], t2[G];
};

template <class T, int G>
GEOLATENT_INLINE void apply(const Reflector<T, G>& r, int g, V<T>& x, V<T>& y, V<T>& z) {
  const V<T> s = x + r.v1[g] * y + r.v2[g] * z;
  x -= r.t0[g] * s;
  y -= r.t1[g] * s;
  z -= r.t2[g] * s;
}

template <class T, int G>
GEOLATENT_INLINE void apply_in_place(const Reflector<T, G>& r, int g, V<T>* at, int step) {
  V<T> x = at[0], y = at[step], z = at[2 * step];
  pin(x), pin(y), pin(z);
  apply<T, G>(r, g, x, y, z);
  at[0] = x, at[step] = y, at[2 * step] = z;
}

// The reflector that maps (x, y, z) to (beta, 0, 0); returns beta.
template <class T, int G>
GEOLATENT_INLINE V<T> reflect(Reflector<T, G>& r, int g, V<T> x, V<T> y, V<T> z) {
  const V<T> zero{}, one = broadcast<T>(T(1)), tail = y * y + z * z, square = x * x + tail;
  const M<T> live = tail > Lanes<T>::smallest_square, negative = x < zero;
  const V<T> inverse = live ? inverse_root(square) : zero, t = one + magnitude<T>(x) * inverse, over = one / t;
  const V<T> signed_inverse = opposite_where<T>(negative, inverse);
  r.t0[g] = live ? t : zero;
  r.t1[g] = y * signed_inverse;
  r.t2[g] = z * signed_inverse;
  r.v1[g] = r.t1[g] * over;
  r.v2[g] = r.t2[g] * over;
  return live ? zero - square * signed_inverse : x;
}

// The entries of rows k..k+2 that decide how a window starts at row k.
template <class T, int G>
struct Corner {
  V<T> a[G], b[G], c[G], d[G], e[G];  // [[a, b, .], [c, d, .], [., e, .]]
};

// First column of (H - shift I)^2 + imag^2 I, up to a positive factor.
template <class T, int G>
GEOLATENT_INLINE void first_column(const Corner<T, G>& h, int g, V<T> shift, V<T> imag, V<T>& x, V<T>& y, V<T>& z) {
  const V<T> a = h.a[g] - shift, sum = magnitude<T>(a) + magnitude<T>(imag) + magnitude<T>(h.c[g]);
  const V<T> inverse = T(1) / (sum > V<T>{} ? sum : broadcast<T>(T(1))), q = h.c[g] * inverse;
  x = q * h.b[g] + a * (a * inverse) + imag * (imag * inverse);
  y = q * (a + (h.d[g] - shift));
  z = q * h.e[g];
}

// Prepares reflector k from (x, y, z), the entries (k..k+2, k-1), and leaves in x what stands there afterwards; a window
// begins with a zero above it.
template <class T, int G>
GEOLATENT_INLINE void prepare(Reflector<T, G>& r, const Windows<T, G>& w, int k, const Corner<T, G>& corner, V<T>* x, V<T>* y, V<T>* z) {
  const bool some = __builtin_expect(w.starts >> k & 1, 0);
  EACH {
    V<T> a = x[g], b = y[g], c = z[g];
    M<T> starts{};
    if (some) {
      V<T> d, e, f;
      first_column<T, G>(corner, g, w.shift[g], w.imag[g], d, e, f);
      starts = (w.hi[g] > T(k)) & (w.lo[g] == T(k));
      a = starts ? d : a;
      b = starts ? e : b;
      c = starts ? f : c;
    }
    const V<T> beta = reflect<T, G>(r, g, a, b, c);
    x[g] = beta;
    if (some) x[g] = starts ? V<T>{} : beta;
  });
}

// Reflector on (0, 0, z).
template <class T, int G>
GEOLATENT_INLINE void apply_last(const Reflector<T, G>& r, int g, V<T>& x, V<T>& y, V<T>& z) {
  const V<T> s = r.v2[g] * z;
  x = V<T>{} - r.t0[g] * s;
  y = V<T>{} - r.t1[g] * s;
  z -= r.t2[g] * s;
}

// The rows k..k+3 and columns k..k+2, where reflector k acts on what decides the next one.
template <class T, int G>
GEOLATENT_INLINE void chase(V<T>* const* h, int stride, const Windows<T, G>& w, int k, const Reflector<T, G>& r, Reflector<T, G>& next) {
  struct Column {
    V<T> r1[G], r2[G], r3[G];
  } c0, c1, c2;
  Corner<T, G> corner;
  EACH {
    V<T>*r0 = h[g] + k * stride + k, *r1 = r0 + stride, *r2 = r1 + stride, *r3 = r2 + stride;
    V<T> x = r0[0], y = r0[1], z = r0[2];
    c0.r1[g] = r1[0], c1.r1[g] = r1[1], c2.r1[g] = r1[2];
    c0.r2[g] = r2[0], c1.r2[g] = r2[1], c2.r2[g] = r2[2];
    c2.r3[g] = r3[2];
    apply<T, G>(r, g, x, c0.r1[g], c0.r2[g]);
    apply<T, G>(r, g, y, c1.r1[g], c1.r2[g]);
    apply<T, G>(r, g, z, c2.r1[g], c2.r2[g]);
    r0[0] = x, r0[1] = y, r0[2] = z;
    apply<T, G>(r, g, c0.r1[g], c1.r1[g], c2.r1[g]);
    apply<T, G>(r, g, c0.r2[g], c1.r2[g], c2.r2[g]);
    apply_last<T, G>(r, g, c0.r3[g], c1.r3[g], c2.r3[g]);
    corner.a[g] = c1.r1[g], corner.b[g] = c2.r1[g], corner.c[g] = c1.r2[g], corner.d[g] = c2.r2[g], corner.e[g] = c2.r3[g];
  });
  prepare<T, G>(next, w, k + 1, corner, c0.r1, c0.r2, c0.r3);
  EACH {
    V<T>*r1 = h[g] + (k + 1) * stride + k, *r2 = r1 + stride, *r3 = r2 + stride;
    r1[0] = c0.r1[g], r1[1] = c1.r1[g], r1[2] = c2.r1[g];
    r2[0] = V<T>{}, r2[1] = c1.r2[g], r2[2] = c2.r2[g];
    r3[0] = V<T>{}, r3[1] = c1.r3[g], r3[2] = c2.r3[g];
  });
}

// One Francis double-shift sweep over the union of the windows. Reflector k + 1 depends on a 4 x 3 block alone, so that
// block comes first and the rest of reflector k runs in the shadow of the next square root and division.
template <class T, int G>
void sweep(V<T>* const* h, int stride, const Windows<T, G>& w) {
  Reflector<T, G> next;
  Corner<T, G> corner;
  V<T> x[G], y[G], z[G];
  EACH {
    const V<T>*at = h[g] + w.first * (stride + 1), *below = at + stride;
    corner.a[g] = at[0], corner.b[g] = at[1], corner.c[g] = below[0], corner.d[g] = below[1], corner.e[g] = below[stride + 1];
    x[g] = y[g] = z[g] = V<T>{};
  });
  prepare<T, G>(next, w, w.first, corner, x, y, z);
  for (int k = w.first; k < w.last; ++k) {
    const Reflector<T, G> r = next;
    chase<T, G>(h, stride, w, k, r, next);
    for (int j = k + 3; j <= w.last; ++j) EACH {
        apply_in_place<T, G>(r, g, h[g] + k * stride + j, stride);
      });
    for (int i = w.first; i <= k; ++i) EACH {
        apply_in_place<T, G>(r, g, h[g] + i * stride + k, 1);
      });
  }
}

}  // namespace
}  // namespace geolatent

// From a tile of quasi-triangular matrices to their eigenvalues, by decreasing modulus.
#pragma once

#include "cpu/lanes.hpp"

namespace geolatent {
namespace {

// Eigenvalues of the diagonal blocks of one and two rows, scaled back; NaN in the lanes of `bad`.
template <class T>
void spectrum_of_blocks(const V<T>* h, int n, int stride, V<T> scale, M<T> bad, V<T>* re, V<T>* im) {
  const V<T> zero{}, nan = broadcast<T>(T(__builtin_nan("")));
  M<T> second{};  // this row is the second one of a pair
  for (int k = 0; k < n; ++k) {
    const V<T> a = h[k * stride + k];
    if (k == 0 || !any(second)) {
      re[k] = a;
      im[k] = zero;
    } else {
      re[k] = second ? re[k] : a;
      im[k] = second ? im[k] : zero;
    }
    if (k + 1 == n) break;
    const V<T> c = h[(k + 1) * stride + k], b = h[k * stride + k + 1], d = h[(k + 1) * stride + k + 1];
    const M<T> pair = (c != zero) & ~second;
    const V<T> p = T(0.5) * (a - d), bc = b * c, q = p * p + bc, r = root(magnitude<T>(q));
    const M<T> real = q >= zero;
    const V<T> far = p < zero ? p - r : p + r;  // the other root is -bc / far
    const V<T> near = far == zero ? zero : bc / far;
    re[k] = pair ? (real ? d + far : d + p) : re[k];
    im[k] = pair & ~real ? r : im[k];
    re[k + 1] = real ? d - near : d + p;
    im[k + 1] = real ? zero : zero - r;
    second = pair;
  }
  for (int k = 0; k < n; ++k) {
    re[k] = bad ? nan : re[k] * scale + zero;
    im[k] = bad ? nan : im[k] * scale + zero;
  }
}

template <class T>
inline void swap_where(M<T> mask, V<T>& a, V<T>& b) {
  const V<T> first = a;
  a = mask ? b : a;
  b = mask ? first : b;
}

// Puts a before b if its modulus is larger; equal moduli: larger real part, then larger imaginary part.
template <class T>
inline void exchange(V<T>* re, V<T>* im, V<T>* key, int a, int b) {
  const M<T> equal = key[a] == key[b], same = re[a] == re[b];
  const M<T> swap = (key[a] < key[b]) | (equal & ((re[a] < re[b]) | (same & (im[a] < im[b]))));
  swap_where<T>(swap, re[a], re[b]);
  swap_where<T>(swap, im[a], im[b]);
  swap_where<T>(swap, key[a], key[b]);
}

// Merge exchange sort (Knuth, The Art of Computer Programming 3, 5.2.2 M): the same comparisons in every lane.
template <class T>
void sort_spectrum(V<T>* re, V<T>* im, V<T>* key, int n) {
  const V<T> one = broadcast<T>(T(1));
  for (int k = 0; k < n; ++k) {
    const V<T> a = magnitude<T>(re[k]), b = magnitude<T>(im[k]);
    const V<T> big = larger<T>(a, b), ratio = smaller<T>(a, b) / (big > V<T>{} ? big : one);
    key[k] = big * root(one + ratio * ratio);
  }
  int top = 1;
  while (2 * top < n) top *= 2;
  for (int p = top; n > 1 && p > 0; p /= 2) {
    int q = top, r = 0, d = p;
    while (true) {
      for (int i = 0; i < n - d; ++i)
        if ((i & p) == r) exchange<T>(re, im, key, i, i + d);
      if (q == p) break;
      d = q - p;
      q /= 2;
      r = p;
    }
  }
}

}  // namespace
}  // namespace geolatent

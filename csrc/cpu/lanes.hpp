// Lanes: one SIMD register holds the same entry of several matrices. Everything here is lane-wise, so that no lane can
// reach another: a matrix's result does not depend on its neighbours, but where a kernel says that lanes which have ended
// go on while they wait (quotient_difference.hpp). Included once per instruction set.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <cstdint>

#if defined(__AVX512F__)
#define GEOLATENT_BYTES 64
#elif defined(__AVX2__)
#define GEOLATENT_BYTES 32
#else
#define GEOLATENT_BYTES 16
#endif

#define GEOLATENT_INLINE [[gnu::always_inline]] inline

namespace geolatent {
namespace {

template <class T>
struct Lanes;

template <>
struct Lanes<float> {
  using Int = std::int32_t;
  typedef float V __attribute__((vector_size(GEOLATENT_BYTES)));
  typedef Int M __attribute__((vector_size(GEOLATENT_BYTES)));
  static constexpr int count = GEOLATENT_BYTES / sizeof(float);
  static constexpr int mantissa_bits = 23;
  static constexpr Int largest_exponent = 253;
  static constexpr float eps = 5.9604645e-8f;  // unit roundoff
  static constexpr float floor = 1e-13f;            // nothing beside entries of order one, eps^2 and less
  static constexpr float smallest_square = 1e-36f;  // a sum of squares above it keeps full relative precision
};

template <>
struct Lanes<double> {
  using Int = std::int64_t;
  typedef double V __attribute__((vector_size(GEOLATENT_BYTES)));
  typedef Int M __attribute__((vector_size(GEOLATENT_BYTES)));
  static constexpr int count = GEOLATENT_BYTES / sizeof(double);
  static constexpr int mantissa_bits = 52;
  static constexpr Int largest_exponent = 2045;
  static constexpr double eps = 1.1102230246251565e-16;
  static constexpr double floor = 1e-130;
  static constexpr double smallest_square = 1e-290;
};

template <class T>
using V = typename Lanes<T>::V;  // values
template <class T>
using M = typename Lanes<T>::M;  // masks: all bits set, or none

template <class T>
inline V<T> broadcast(T x) {
  return x - V<T>{};
}

template <class T>
inline V<T> magnitude(V<T> x) {
  return (V<T>)((M<T>)x & ~(M<T>)broadcast<T>(T(-0.0)));
}

template <class T>
inline V<T> larger(V<T> a, V<T> b) {
  return a > b ? a : b;
}

template <class T>
inline V<T> smaller(V<T> a, V<T> b) {
  return a < b ? a : b;
}

// The unary minus of a vector extension type is 0 - x, which loses the sign of zero; this one flips the bit.
template <class T>
inline V<T> opposite_where(M<T> mask, V<T> x) {
  return (V<T>)((M<T>)x ^ (mask & (M<T>)broadcast<T>(T(-0.0))));
}

// Keeps a loaded value in its register: the compiler would rather load it again as an operand.
#if defined(__x86_64__)
template <class X>
GEOLATENT_INLINE void pin(X& x) {
  asm("" : "+v"(x));
}
#else
template <class X>
GEOLATENT_INLINE void pin(X&) {}
#endif

#if defined(__AVX512F__)
inline V<float> root(V<float> x) { return _mm512_sqrt_ps(x); }
inline V<double> root(V<double> x) { return _mm512_sqrt_pd(x); }
inline bool any(M<float> m) { return _mm512_test_epi32_mask((__m512i)m, (__m512i)m) != 0; }
inline bool any(M<double> m) { return _mm512_test_epi64_mask((__m512i)m, (__m512i)m) != 0; }
inline float lowest(V<float> x) { return _mm512_reduce_min_ps(x); }
inline double lowest(V<double> x) { return _mm512_reduce_min_pd(x); }
#else
#if defined(__AVX2__)
inline V<float> root(V<float> x) { return _mm256_sqrt_ps(x); }
inline V<double> root(V<double> x) { return _mm256_sqrt_pd(x); }
inline bool any(M<float> m) { return _mm256_movemask_ps((__m256)m) != 0; }
inline bool any(M<double> m) { return _mm256_movemask_pd((__m256d)m) != 0; }
#elif defined(__x86_64__)
inline V<float> root(V<float> x) { return _mm_sqrt_ps(x); }
inline V<double> root(V<double> x) { return _mm_sqrt_pd(x); }
inline bool any(M<float> m) { return _mm_movemask_ps((__m128)m) != 0; }
inline bool any(M<double> m) { return _mm_movemask_pd((__m128d)m) != 0; }
#else
inline V<float> root(V<float> x) {
  for (int l = 0; l < Lanes<float>::count; ++l) x[l] = __builtin_sqrtf(x[l]);
  return x;
}
inline V<double> root(V<double> x) {
  for (int l = 0; l < Lanes<double>::count; ++l) x[l] = __builtin_sqrt(x[l]);
  return x;
}
inline bool any(M<float> m) { return (m[0] | m[1] | m[2] | m[3]) != 0; }
inline bool any(M<double> m) { return (m[0] | m[1]) != 0; }
#endif

template <class X>
inline auto lowest(X x) {
  auto least = x[0];
  for (unsigned l = 1; l < sizeof(x) / sizeof(x[0]); ++l) least = x[l] < least ? x[l] : least;
  return least;
}
#endif

// 1 / sqrt(x) to about two units in the last place, for normal positive x.
#if defined(__AVX512F__)
inline V<float> inverse_root(V<float> x) {
  const V<float> r = _mm512_rsqrt14_ps(x), half = 0.5f * r;
  return r + half * (1.0f - (x * r) * r);
}
inline V<double> inverse_root(V<double> x) {
  const V<double> r = _mm512_rsqrt14_pd(x), e = 1.0 - (x * r) * r;
  return r + (r * e) * (0.5 + e * (0.375 + e * 0.3125));
}
#else
template <class X>
inline X inverse_root(X x) {
  return (x - x + 1) / root(x);
}
#endif

// y / x, and 1 / x beside it, to about two units in the last place, for x whose inverse is normal.
#if defined(__AVX512F__)
inline V<float> quotient(V<float> y, V<float> x, V<float>& inverse) {
  const V<float> r = _mm512_rcp14_ps(x), e = 1.0f - x * r, product = y * r;
  inverse = r + r * e;
  return product + product * e;
}
inline V<double> quotient(V<double> y, V<double> x, V<double>& inverse) {
  const V<double> r = _mm512_rcp14_pd(x), e = 1.0 - x * r, square = e * e, product = y * r;
  const V<double> better = r + r * e, nearer = product + product * e;
  inverse = better + better * square;
  return nearer + nearer * square;
}
#else
template <class X>
inline X quotient(X y, X x, X& inverse) {
  inverse = 1 / x;
  return y * inverse;
}
#endif

// Turns W registers of W consecutive entries into one register an entry.
template <class T>
inline void transpose(V<T>* r) {
  constexpr int W = Lanes<T>::count;
#pragma GCC unroll 8
  for (int s = 1; s < W; s *= 2) {
    M<T> low, high;
#pragma GCC unroll 16
    for (int l = 0; l < W; ++l) {
      low[l] = l & s ? W + l - s : l;
      high[l] = l & s ? W + l : l + s;
    }
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) {
      if (i & s) continue;
      const V<T> a = r[i], b = r[i + s];
      r[i] = __builtin_shuffle(a, b, low);
      r[i + s] = __builtin_shuffle(a, b, high);
    }
  }
}

}  // namespace
}  // namespace geolatent

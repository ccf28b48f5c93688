// Elementary functions of registers of doubles, and loads and stores that convert to them.
//
// The logarithm is 2 atanh((m - 1) / (m + 1)) of the mantissa m, by a polynomial of degree 6 that leaves 5e-18 relative
// (Chebyshev interpolation in 40 digits), plus the exponent; the arc cosine is that of Sun's fdlibm.
#pragma once

#include "cpu/lanes.hpp"

namespace geolatent {
namespace {
namespace elementary {

using R = V<double>;
using Mask = M<double>;
typedef float Half __attribute__((vector_size(GEOLATENT_BYTES / 2)));
constexpr int lanes = Lanes<double>::count;

// Natural logarithm of normal positive numbers, to about two units in the last place.
inline R log_of(R x) {
  constexpr std::int64_t root_half = 0x3fe6a09e667f3bcd;  // bits of sqrt(1/2)
  constexpr double p[] = {0.14616585424888621989, 0.15331710618210771568, 0.18182889455674946039, 0.22222211130259877029,
                          0.28571428626003268742, 0.39999999999899443233, 0.66666666666666696883};
  const Mask bits = (Mask)x - root_half, exponent = bits >> 52;
  const R mantissa = (R)((bits & 0x000fffffffffffff) + root_half);
  const R magic = broadcast<double>(6755399441055744.0);  // its last bits count in integers
  const R e = (R)((Mask)magic + exponent) - magic;
  const R f = mantissa - 1, s = f / (2 + f), z = s * s;
  R q = broadcast<double>(p[0]);
  for (int k = 1; k < 7; ++k) q = q * z + p[k];
  // ln 2 in two parts; the first one times an exponent is exact
  return e * 6.93147180369123816490e-01 + (2 * s + (s * z * q + e * 1.90821492927058770002e-10));
}

// Arc cosine of numbers in [0, 1], to about two units in the last place.
inline R arc_cosine(R x) {
  constexpr double half_pi = 1.57079632679489661923;
  constexpr double p[] = {3.47933107596021167570e-05, 7.91534994289814532176e-04, -4.00555345006794114027e-02,
                          2.01212532134862925881e-01, -3.25565818622400915405e-01, 1.66666666666666657415e-01};
  constexpr double q[] = {7.70381505559019352791e-02, -6.88283971605453293030e-01, 2.02094576023350569471e+00,
                          -2.40339491173441421878e+00, 1};
  const Mask small = x < 0.5;
  const R z = small ? x * x : 0.5 * (1 - x), s = small ? x : root(z);
  R numerator = broadcast<double>(p[0]), denominator = broadcast<double>(q[0]);
  for (int k = 1; k < 6; ++k) numerator = numerator * z + p[k];
  for (int k = 1; k < 5; ++k) denominator = denominator * z + q[k];
  const R arc = s + s * (z * numerator / denominator);  // arc sine of s
  return small ? half_pi - arc : 2 * arc;
}

// `live` consecutive entries, the first one in the lanes beyond them.
GEOLATENT_INLINE R load(const double* from, int live) {
  R x;
  if (live == lanes)
    __builtin_memcpy(&x, from, sizeof x);
  else
    for (int l = 0; l < lanes; ++l) x[l] = from[l < live ? l : 0];
  return x;
}

GEOLATENT_INLINE R load(const float* from, int live) {
  Half x;
  if (live == lanes)
    __builtin_memcpy(&x, from, sizeof x);
  else
    for (int l = 0; l < lanes; ++l) x[l] = from[l < live ? l : 0];
  return __builtin_convertvector(x, R);
}

GEOLATENT_INLINE void store(double* to, R x, int live) {
  if (live == lanes)
    __builtin_memcpy(to, &x, sizeof x);
  else
    for (int l = 0; l < live; ++l) to[l] = x[l];
}

GEOLATENT_INLINE void store(float* to, R x, int live) {
  const Half rounded = __builtin_convertvector(x, Half);
  if (live == lanes)
    __builtin_memcpy(to, &rounded, sizeof rounded);
  else
    for (int l = 0; l < live; ++l) to[l] = rounded[l];
}

}  // namespace elementary
}  // namespace
}  // namespace geolatent

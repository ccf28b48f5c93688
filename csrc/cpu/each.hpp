// Registers side by side.
#pragma once

#include "cpu/lanes.hpp"

namespace geolatent {
namespace {

// G registers side by side: their independent chains hide the latency of square roots and divisions. The index is a
// constant, so that the compiler keeps every array of G values in registers.
template <int I>
struct Index {
  constexpr operator int() const { return I; }
};

template <int G, class F>
GEOLATENT_INLINE void each(F f) {
  f(Index<0>{});
  if constexpr (G > 1) f(Index<1>{});
  if constexpr (G > 2) f(Index<2>{});
  if constexpr (G > 3) f(Index<3>{});
  static_assert(G <= 4);
}

#define EACH each<G>([&](auto g) __attribute__((always_inline))

}  // namespace
}  // namespace geolatent

// A dense layer for few active outputs: vectors over inputs, only for the active outputs. Weights lie row by row.
// Included once per instruction set.
#pragma once

#include <cstdint>
#include <utility>

#include "cpu/tangents.hpp"

namespace geolatent {
namespace {

// Register tile: with 32 registers 24 accumulators, with 16 registers 8.
constexpr int dot_outputs = 4;
#if defined(__AVX512F__)
constexpr int dot_tangents = 6;
#else
constexpr int dot_tangents = 2;
#endif

// Sums of neighbouring pairs within 128 bits, those of a before those of b (hadd).
template <class T, int... I>
inline V<T> pair_sums(V<T> a, V<T> b, std::integer_sequence<int, I...>) {
  constexpr int part = 16 / sizeof(T), lanes = sizeof...(I);
#if defined(__clang__)
#define GEOLATENT_PICK(odd) \
  __builtin_shufflevector(a, b, (I / part * part + I % (part / 2) * 2 + odd + (I % part < part / 2 ? 0 : lanes))...)
#else
#define GEOLATENT_PICK(odd) \
  __builtin_shuffle(a, b, M<T>{(I / part * part + I % (part / 2) * 2 + odd + (I % part < part / 2 ? 0 : lanes))...})
#endif
  return GEOLATENT_PICK(0) + GEOLATENT_PICK(1);
#undef GEOLATENT_PICK
}

// The sums of four vectors' entries.
template <class T>
inline void sum_entries(V<T> a, V<T> b, V<T> c, V<T> d, T* sums) {
  constexpr auto all = std::make_integer_sequence<int, Lanes<T>::count>{};
  typedef T Part __attribute__((vector_size(16)));
  constexpr int part = 16 / sizeof(T), parts = sizeof(V<T>) / 16;
  V<T> pairs[2] = {pair_sums<T>(a, b, all), pair_sums<T>(c, d, all)};
  if (part == 4) pairs[0] = pair_sums<T>(pairs[0], pairs[1], all);
  for (int half = 0; half < 4 / part; ++half) {
    Part pieces[parts];
    __builtin_memcpy(pieces, &pairs[half], sizeof(V<T>));
    Part sum = pieces[0];
    for (int i = 1; i < parts; ++i) sum += pieces[i];
    for (int i = 0; i < part; ++i) sums[half * part + i] = sum[i];
  }
}

template <class T>
using DotTile = void (*)(const T* const* weights, std::int64_t vectors, const T* x, std::int64_t x_stride, T* sums);

// sums[4 q + p] = weights[p] . x[q]
template <class T, int Q>
void dot_tile(const T* const* weights, std::int64_t vectors, const T* x, std::int64_t x_stride, T* sums) {
  V<T> partial[Q][dot_outputs] = {};
  const V<T>* w[dot_outputs];
#pragma GCC unroll 8
  for (int p = 0; p < dot_outputs; ++p) w[p] = reinterpret_cast<const V<T>*>(weights[p]);
  for (std::int64_t v = 0; v < vectors; ++v) {
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) {
      const V<T> tangent = reinterpret_cast<const V<T>*>(x + q * x_stride)[v];
#pragma GCC unroll 8
      for (int p = 0; p < dot_outputs; ++p) partial[q][p] += w[p][v] * tangent;
    }
  }
#pragma GCC unroll 8
  for (int q = 0; q < Q; ++q) sum_entries<T>(partial[q][0], partial[q][1], partial[q][2], partial[q][3], sums + 4 * q);
}

template <class T, int... I>
constexpr DotTile<T> dot_tiles(int q, std::integer_sequence<int, I...>) {
  constexpr DotTile<T> table[] = {dot_tile<T, I + 1>...};
  return table[q - 1];
}

template <class T>
void dot_layer(const DenseLayer<T>& layer, int d, Tangents<T> x, std::int32_t* list, Slopes<T> outputs, Tangents<T> y) {
  const std::int64_t vectors = (layer.inputs + Lanes<T>::count - 1) / Lanes<T>::count;
  const std::int64_t row = padded<T>(layer.inputs);
  list_active(outputs, layer.outputs, list);
  for (int j = 0; j < d; ++j)
    for (std::int64_t i = 0; i < padded<T>(layer.outputs); ++i) y.rows[j * y.stride() + i] = 0;
  for (int j = 0; j < d;) {
    const int q = tile_size(j, d, dot_tangents);
    const auto tile = dot_tiles<T>(q, std::make_integer_sequence<int, dot_tangents>{});
    for (std::int64_t a = 0; a < outputs.active; a += dot_outputs) {
      const int count = int(outputs.active - a < dot_outputs ? outputs.active - a : dot_outputs);
      const T* weights[dot_outputs];
      for (int p = 0; p < dot_outputs; ++p) weights[p] = layer.rows + list[p < count ? a + p : a] * row;
      T sums[4 * dot_tangents];
      tile(weights, vectors, x.rows + j * x.stride(), x.stride(), sums);
      for (int p = 0; p < count; ++p) {
        const std::int64_t h = list[a + p];
        const T slope = outputs.values ? outputs.values[h] : T(1);
        for (int i = 0; i < q; ++i) y.rows[(j + i) * y.stride() + h] = sums[4 * i + p] * slope;
      }
    }
    j += q;
  }
}

}  // namespace
}  // namespace geolatent

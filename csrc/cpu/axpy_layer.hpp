// A dense layer for few active inputs: vectors over outputs, a loop over the active inputs. Weights lie in blocks of
// outputs, an input's together, so that the block's active rows stay in the first cache for all tangents.
// Included once per instruction set.
#pragma once

#include <cstdint>
#include <utility>

#include "cpu/tangents.hpp"

namespace geolatent {
namespace {

// Register tile: with 32 registers 24 accumulators, with 16 registers 12.
#if defined(__AVX512F__)
constexpr int axpy_vectors = 4, axpy_tangents = 6;
#else
constexpr int axpy_vectors = 2, axpy_tangents = 6;
#endif

template <class T>
using AxpyTile = void (*)(const T* weights, const std::int32_t* list, std::int64_t active, const T* x,
                          std::int64_t x_stride, const T* slopes, T* y, std::int64_t y_stride);

template <class T, int P, int Q>
void axpy_tile(const T* weights, const std::int32_t* list, std::int64_t active, const T* x, std::int64_t x_stride,
               const T* slopes, T* y, std::int64_t y_stride) {
  V<T> sums[Q][P] = {};
  for (std::int64_t a = 0; a < active; ++a) {
    const std::int64_t k = list[a];
    const V<T>* row = reinterpret_cast<const V<T>*>(weights + k * block_size<T>);
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) {
      const V<T> factor = broadcast<T>(x[q * x_stride + k]);
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) sums[q][p] += factor * row[p];
    }
  }
#pragma GCC unroll 8
  for (int q = 0; q < Q; ++q) {
    V<T>* out = reinterpret_cast<V<T>*>(y + q * y_stride);
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p)
      out[p] = slopes ? sums[q][p] * reinterpret_cast<const V<T>*>(slopes)[p] : sums[q][p];
  }
}

template <class T, int... I>
constexpr AxpyTile<T> axpy_tiles(int p, int q, std::integer_sequence<int, I...>) {
  constexpr AxpyTile<T> table[] = {axpy_tile<T, I / axpy_tangents + 1, I % axpy_tangents + 1>...};
  return table[(p - 1) * axpy_tangents + q - 1];
}

template <class T>
void axpy_layer(const DenseLayer<T>& layer, int d, Tangents<T> x, Slopes<T> inputs, std::int32_t* list,
                Slopes<T> outputs, Tangents<T> y) {
  constexpr int lanes = Lanes<T>::count;
  list_active(inputs, layer.inputs, list);
  const std::int64_t vectors = (layer.outputs + lanes - 1) / lanes;
  for (std::int64_t v = 0; v < vectors;) {
    const std::int64_t start = v * lanes, block = start / block_size<T>;
    const int most = int(vectors - v < axpy_vectors ? vectors - v : axpy_vectors);
    const T* weights = layer.columns + block * layer.inputs * block_size<T> + start % block_size<T>;
    for (int j = 0; j < d;) {
      const int q = tile_size(j, d, axpy_tangents);
      const auto tile = axpy_tiles<T>(most, q, std::make_integer_sequence<int, axpy_vectors * axpy_tangents>{});
      tile(weights, list, inputs.active, x.rows + j * x.stride(), x.stride(),
           outputs.values ? outputs.values + start : nullptr, y.rows + j * y.stride() + start, y.stride());
      j += q;
    }
    v += most;
  }
  for (int j = 0; j < d; ++j)
    for (std::int64_t i = vectors * lanes; i < padded<T>(layer.outputs); ++i) y.rows[j * y.stride() + i] = 0;
}

}  // namespace
}  // namespace geolatent

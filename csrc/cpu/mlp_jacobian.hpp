// The chain rule through a decoder and an encoder of dense layers, right to left on the d latent tangents, a sample at
// a time: X <- (X W') diag(slopes), one tangent a row. Units whose activation has slope 0 are skipped, in one of two
// ways, whichever costs less for the sample:
//   axpy  vectors over outputs, a loop over the active inputs; weights in blocks of outputs, an input's together;
//   dot   vectors over inputs, only for the active outputs; weights row by row.
// A sample's result depends on nothing but itself. Included once per instruction set.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <utility>

#include "cpu/lanes.hpp"
#include "kernels.hpp"

namespace geolatent {
namespace {

template <class T>
constexpr int block_size = 256 / sizeof(T);  // outputs of one block of weights
template <class T>
constexpr int line_size = 64 / sizeof(T);  // rows are padded to cache lines

// Register tiles: with 32 registers 24 accumulators, with 16 registers 12 or fewer.
#if defined(__AVX512F__)
constexpr int axpy_vectors = 4, axpy_tangents = 6, dot_outputs = 4, dot_tangents = 6;
#else
constexpr int axpy_vectors = 2, axpy_tangents = 6, dot_outputs = 4, dot_tangents = 2;
#endif

template <class T>
constexpr std::int64_t padded(std::int64_t n) {
  return (n + line_size<T> - 1) / line_size<T> * line_size<T>;
}

// Distance of two tangents: an odd number of cache lines, so that rows do not fall on the same cache sets.
template <class T>
constexpr std::int64_t row_stride(std::int64_t n) {
  return (padded<T>(n) / line_size<T> | 1) * line_size<T>;
}

template <class T>
struct Tangents {
  T* rows;
  std::int64_t width;
  std::int64_t stride() const { return row_stride<T>(width); }
};

// Slopes of one layer's units: a padded copy, null where all are 1, and how many are not 0.
template <class T>
struct Slopes {
  const T* values;
  std::int64_t active;
};

template <class T>
Slopes<T> read_slopes(const T* source, std::int64_t n, T* copy) {
  if (!source) return {nullptr, n};
  std::int64_t active = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    copy[i] = source[i];
    active += source[i] != 0;
  }
  for (std::int64_t i = n; i < padded<T>(n); ++i) copy[i] = 0;
  return {copy, active};
}

template <class T>
void list_active(Slopes<T> slopes, std::int64_t n, std::int32_t* list) {
  std::int64_t found = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    list[found] = std::int32_t(i);
    found += !slopes.values || slopes.values[i] != 0;
  }
}

template <class T>
using AxpyTile = void (*)(const T* weights, const std::int32_t* list, std::int64_t active, const T* x, std::int64_t x_stride,
                          const T* slopes, T* y, std::int64_t y_stride);

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

// Tangents split evenly into tiles of at most `most`: the size of the tile that starts at `start`.
inline int tile_size(int start, int d, int most) {
  const int tiles = (d - start + most - 1) / most;
  return (d - start + tiles - 1) / tiles;
}

template <class T>
void axpy_layer(const DenseLayer<T>& layer, int d, Tangents<T> x, Slopes<T> inputs, std::int32_t* list, Slopes<T> outputs,
                Tangents<T> y) {
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

// The tangents behind the first layer are its weights themselves.
template <class T>
void first_layer(const DenseLayer<T>& layer, Slopes<T> outputs, Tangents<T> y) {
  constexpr int block = block_size<T>;
  for (std::int64_t j = 0; j < layer.inputs; ++j)
    for (std::int64_t i = 0; i < padded<T>(layer.outputs); ++i) {
      const T weight = layer.columns[(i / block * layer.inputs + j) * block + i % block];
      y.rows[j * y.stride() + i] = outputs.values ? weight * outputs.values[i] : weight;
    }
}

template <class T>
void next_layer(const DenseLayer<T>& layer, int d, Tangents<T> x, Slopes<T> inputs, std::int32_t* list, Slopes<T> outputs,
                Tangents<T> y) {
  constexpr std::int64_t reduction = 8 * Lanes<T>::count;  // what the sum of a vector's entries costs
  const std::int64_t axpy_cost = inputs.active * padded<T>(layer.outputs);
  const std::int64_t dot_cost = (padded<T>(layer.inputs) + reduction) * outputs.active;
  if (axpy_cost <= dot_cost)
    axpy_layer(layer, d, x, inputs, list, outputs, y);
  else
    dot_layer(layer, d, x, list, outputs, y);
}

// One thread's memory: tangents behind the decoder and on the way, slopes likewise, a list of active units.
template <class T>
struct Workspace {
  T *tangents[3], *slopes[3];
  std::int32_t* list;

  static std::int64_t size(std::int64_t d, std::int64_t widest) { return (3 * d + 4) * row_stride<T>(widest); }

  Workspace(T* memory, std::int64_t d, std::int64_t widest) {
    const std::int64_t row = row_stride<T>(widest);
    for (int i = 0; i < 3; ++i) tangents[i] = memory + i * d * row;
    for (int i = 0; i < 3; ++i) slopes[i] = memory + (3 * d + i) * row;
    list = reinterpret_cast<std::int32_t*>(memory + (3 * d + 3) * row);
  }
};

template <class T>
void sample_jacobians(const DenseLayer<T>* layers, T* out, int decoder_layers, int encoder_layers, int branches,
                      std::int64_t sample, const Workspace<T>& memory) {
  const int d = int(layers[0].inputs);
  Tangents<T> x{};
  Slopes<T> slopes{};
  for (int l = 0; l < decoder_layers; ++l) {
    const int slot = l == decoder_layers - 1 ? 2 : l % 2;
    const auto& layer = layers[l];
    const T* source = layer.slopes[0] ? layer.slopes[0] + sample * layer.outputs : nullptr;
    const auto outputs = read_slopes(source, layer.outputs, memory.slopes[slot]);
    const Tangents<T> y{memory.tangents[slot], layer.outputs};
    if (l == 0)
      first_layer(layer, outputs, y);
    else
      next_layer(layer, d, x, slopes, memory.list, outputs, y);
    x = y, slopes = outputs;
  }
  const auto decoder_tangents = x;
  const auto decoder_slopes = slopes;
  for (int branch = 0; branch < branches; ++branch) {
    x = decoder_tangents, slopes = decoder_slopes;
    for (int l = 0; l < encoder_layers; ++l) {
      const auto& layer = layers[decoder_layers + l];
      const T* source = layer.slopes[branch] ? layer.slopes[branch] + sample * layer.outputs : nullptr;
      const auto outputs = read_slopes(source, layer.outputs, memory.slopes[l % 2]);
      const Tangents<T> y{memory.tangents[l % 2], layer.outputs};
      next_layer(layer, d, x, slopes, memory.list, outputs, y);
      x = y, slopes = outputs;
    }
    for (int i = 0; i < d; ++i)
      for (int j = 0; j < d; ++j) out[(branch * d + i) * d + j] = x.rows[j * x.stride() + i];
  }
}

template <class T>
bool mlp_jacobian(const DenseLayer<T>* layers, T* out, int decoder_layers, int encoder_layers, int branches,
                  std::int64_t count, int threads) {
  const std::int64_t d = layers[0].inputs;
  std::int64_t widest = d;
  for (int l = 0; l < decoder_layers + encoder_layers; ++l)
    if (layers[l].outputs > widest) widest = layers[l].outputs;
  const std::int64_t size = Workspace<T>::size(d, widest);
  T* memory = static_cast<T*>(std::aligned_alloc(64, std::size_t(threads) * size * sizeof(T)));
  if (!memory) return false;
#pragma omp parallel for num_threads(threads)
  for (int thread = 0; thread < threads; ++thread) {
    const Workspace<T> mine(memory + thread * size, d, widest);
    for (std::int64_t i = count * thread / threads; i < count * (thread + 1) / threads; ++i)
      sample_jacobians(layers, out + i * branches * d * d, decoder_layers, encoder_layers, branches, i, mine);
  }
  std::free(memory);
  return true;
}

}  // namespace
}  // namespace geolatent

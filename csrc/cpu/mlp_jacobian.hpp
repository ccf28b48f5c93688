// The chain rule through a decoder and an encoder of dense layers, right to left on the d latent tangents, a sample at
// a time: X <- (X W') diag(slopes), one tangent a row. Units whose activation has slope 0 are skipped: by axpy_layer
// behind them, by dot_layer at them, whichever costs less for the layer and sample. A sample's result depends on
// nothing but itself. Included once per instruction set.
#pragma once

#include <cstdint>
#include <cstdlib>

#include "cpu/axpy_layer.hpp"
#include "cpu/dot_layer.hpp"
#include "kernels.hpp"

namespace geolatent {
namespace {

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
void next_layer(const DenseLayer<T>& layer, int d, Tangents<T> x, Slopes<T> inputs, std::int32_t* list,
                Slopes<T> outputs, Tangents<T> y) {
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

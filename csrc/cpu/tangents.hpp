// Tangents through dense layers: a sample's d tangents one a row, and the slopes of its units.
// Included once per instruction set.
#pragma once

#include <cstdint>

#include "cpu/lanes.hpp"
#include "kernels.hpp"

namespace geolatent {
namespace {

template <class T>
constexpr int block_size = 256 / sizeof(T);  // outputs of one block of weights
template <class T>
constexpr int line_size = 64 / sizeof(T);  // rows are padded to cache lines

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

// Tangents split evenly into tiles of at most `most`: the size of the tile that starts at `start`.
inline int tile_size(int start, int d, int most) {
  const int tiles = (d - start + most - 1) / most;
  return (d - start + tiles - 1) / tiles;
}

}  // namespace
}  // namespace geolatent

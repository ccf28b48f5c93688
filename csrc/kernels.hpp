// Every kernel's signature: plain pointers and sizes, so that the core needs no torch headers.
#pragma once

#include <cstdint>

namespace geolatent {

// One dense layer for mlp_jacobian, with rows padded to 64 bytes and blocks of 256 bytes.
template <class T>
struct DenseLayer {
  std::int64_t inputs, outputs;
  const T* columns;    // weights, [blocks of outputs][inputs][outputs of the block]
  const T* rows;       // weights, [outputs][inputs]
  const T* slopes[2];  // of the activations, [samples][outputs], a set for each branch; null for ones
};

// `count` pairs of n-dimensional Gaussians and what is wanted of their Fisher-Rao geodesics; a null pointer leaves it out.
struct GaussianPairs {
  std::int64_t count;
  int n;
  const double *loc, *covariance, *other_loc, *other_covariance;
  double *lower, *upper;                               // bounds of the squared distance
  double *squared_dist, *residual, *iterations;        // these three together
  double *velocity_loc, *velocity_covariance;          // these two together, and only with the three
};

// `count` pairs of n-dimensional Gaussians with diagonal covariance, [count][n] each; distances or their squares.
template <class T>
struct DiagonalPairs {
  std::int64_t count;
  int n;
  const T *loc, *scale, *other_loc, *other_scale;
  T* out;
  bool squared;
};

// Distances [rows][columns] of Gaussians [rows][n] to others, whose coordinates come first: [n][columns].
template <class T>
struct DiagonalTable {
  std::int64_t rows, columns;
  int n;
  const T *loc, *scale, *other_loc, *other_scale;
  T* out;
};

enum class SingularValueSum { squared_logs, values, squared_angles };  // angles: arc cosines

// Products of all matrices [rows][n][inner] with all [columns][inner][m], 48 >= n >= m, and what is wanted of their singular
// values: a sum for each product or, if rows and columns are the same points, for those above the diagonal alone.
template <class T>
struct ProductTable {
  std::int64_t rows, columns;
  int n, inner, m;
  const T *left, *right;
  T* out;  // [rows][columns]
  SingularValueSum of;
  bool above_diagonal;
};

// One instruction set's kernels. `threads` is the number of OpenMP threads a call may use.
struct Kernels {
  // Eigenvalues of `count` real d x d row-major matrices, 1 <= d <= 48, into `out` as (re, im) pairs by decreasing
  // modulus. failed[i] = 1 where the iteration did not converge: that matrix is the caller's.
  void (*eigvals_f32)(const float* a, float* out, std::uint8_t* failed, std::int64_t count, int d, int threads);
  void (*eigvals_f64)(const double* a, double* out, std::uint8_t* failed, std::int64_t count, int d, int threads);

  // Eigenvalues of `count` symmetric d x d matrices, 1 <= d <= 48, of which the lower triangle is read, in ascending
  // order, and in the rows of `vectors`, unless it is null, their eigenvectors. failed as above.
  void (*eigh_f32)(const float* a, float* values, float* vectors, std::uint8_t* failed, std::int64_t count, int d, int threads);
  void (*eigh_f64)(const double* a, double* values, double* vectors, std::uint8_t* failed, std::int64_t count, int d, int threads);

  // Singular values of `count` n x m matrices, 1 <= n <= m, in descending order. failed as above.
  void (*svdvals_f32)(const float* a, float* out, std::uint8_t* failed, std::int64_t count, int n, int m, int threads);
  void (*svdvals_f64)(const double* a, double* out, std::uint8_t* failed, std::int64_t count, int n, int m, int threads);

  // Sums over the singular values of a table of products; NaN where the iteration did not converge.
  void (*pairwise_svdvals_f32)(const ProductTable<float>& table, int threads);
  void (*pairwise_svdvals_f64)(const ProductTable<double>& table, int threads);

  // Products Df Dg of `count` samples, [samples][branches][d][d], for the decoder g, whose layers come first, and the
  // encoder f, linearised at one or two points (branches). False where memory ran out.
  bool (*mlp_jacobian_f32)(const DenseLayer<float>* layers, float* out, int decoder_layers, int encoder_layers,
                           int branches, std::int64_t count, int threads);
  bool (*mlp_jacobian_f64)(const DenseLayer<double>* layers, double* out, int decoder_layers, int encoder_layers,
                           int branches, std::int64_t count, int threads);

  // Fisher-Rao distances inside the Gaussians of diagonal covariance.
  void (*diagonal_pairs_f32)(const DiagonalPairs<float>& pairs, int threads);
  void (*diagonal_pairs_f64)(const DiagonalPairs<double>& pairs, int threads);
  void (*diagonal_table_f32)(const DiagonalTable<float>& table, int threads);
  void (*diagonal_table_f64)(const DiagonalTable<double>& table, int threads);

  // Squared Fisher-Rao distances, initial velocities and bounds. False where memory ran out.
  bool (*fisher_rao_f64)(const GaussianPairs& pairs, int threads);
};

const Kernels& kernels_baseline();
const Kernels& kernels_v3();
const Kernels& kernels_v4();

// The kernels in use: the best that this machine runs, or the level that use_isa chose.
const Kernels& kernels();
const char* isa();
int isa_count();               // levels that this machine runs
const char* isa_name(int i);   // from the plainest to the best
bool use_isa(const char* name);  // false if the machine does not run it

}  // namespace geolatent

// Every kernel's signature: plain pointers and sizes, so that the core needs no torch headers.
#pragma once

#include <cstdint>

namespace geolatent {

// One instruction set's kernels. `threads` is the number of OpenMP threads a call may use.
struct Kernels {
  // Eigenvalues of `count` real d x d row-major matrices, 1 <= d <= 64, into `out` as (re, im) pairs by decreasing
  // modulus. failed[i] = 1 where the iteration did not converge: that matrix is the caller's.
  void (*eigvals_f32)(const float* a, float* out, std::uint8_t* failed, std::int64_t count, int d, int threads);
  void (*eigvals_f64)(const double* a, double* out, std::uint8_t* failed, std::int64_t count, int d, int threads);
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

// The table of kernels, compiled once per instruction set.
#include "kernels.hpp"

#include "cpu/eigh.hpp"
#include "cpu/eigvals.hpp"
#include "cpu/fisher_rao.hpp"
#include "cpu/half_plane.hpp"
#include "cpu/mlp_jacobian.hpp"
#include "cpu/pairwise_svdvals.hpp"
#include "cpu/svdvals.hpp"

#define GEOLATENT_JOIN_(a, b) a##b
#define GEOLATENT_JOIN(a, b) GEOLATENT_JOIN_(a, b)

namespace geolatent {

const Kernels& GEOLATENT_JOIN(kernels_, GEOLATENT_ISA)() {
  static const Kernels table = {
      eigvals<float>,
      eigvals<double>,
      eigh<float>,
      eigh<double>,
      svdvals<float>,
      svdvals<double>,
      pairwise_svdvals<float>,
      pairwise_svdvals<double>,
      mlp_jacobian<float>,
      mlp_jacobian<double>,
      half_plane::diagonal_pairs<float>,
      half_plane::diagonal_pairs<double>,
      half_plane::diagonal_table<float>,
      half_plane::diagonal_table<double>,
      geodesic::fisher_rao,
  };
  return table;
}

}  // namespace geolatent

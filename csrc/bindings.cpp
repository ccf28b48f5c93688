// Python -> kernels: tensor addresses as integers, one line a kernel, the GIL released in every call.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <new>
#include <string>
#include <vector>

#include "kernels.hpp"

namespace py = pybind11;
using geolatent::DenseLayer;
using geolatent::kernels;

namespace {

template <class T>
T* at(std::uintptr_t address) {
  return reinterpret_cast<T*>(address);
}

void require(bool enough_memory) {
  if (!enough_memory) throw std::bad_alloc();
}

using address = std::uintptr_t;
using unlocked = py::call_guard<py::gil_scoped_release>;

}  // namespace

PYBIND11_MODULE(_core, m, py::mod_gil_not_used()) {
  m.doc() = "Compiled kernels of geolatent.";
  m.def("isa", [] { return std::string(geolatent::isa()); });
  m.def("isa_levels", [] {
    std::vector<std::string> names;
    for (int i = 0; i < geolatent::isa_count(); ++i) names.emplace_back(geolatent::isa_name(i));
    return names;
  });
  m.def("use_isa", [](const std::string& name) { return geolatent::use_isa(name.c_str()); });

  m.def("eigvals_f32", [](address a, address out, address failed, std::int64_t count, int d, int threads) {
    kernels().eigvals_f32(at<const float>(a), at<float>(out), at<std::uint8_t>(failed), count, d, threads); }, unlocked());
  m.def("eigvals_f64", [](address a, address out, address failed, std::int64_t count, int d, int threads) {
    kernels().eigvals_f64(at<const double>(a), at<double>(out), at<std::uint8_t>(failed), count, d, threads); }, unlocked());

  m.def("eigh_f32", [](address a, address values, address vectors, address failed, std::int64_t count, int d, int threads) {
    kernels().eigh_f32(at<const float>(a), at<float>(values), at<float>(vectors), at<std::uint8_t>(failed), count, d, threads); }, unlocked());
  m.def("eigh_f64", [](address a, address values, address vectors, address failed, std::int64_t count, int d, int threads) {
    kernels().eigh_f64(at<const double>(a), at<double>(values), at<double>(vectors), at<std::uint8_t>(failed), count, d, threads); }, unlocked());

  m.def("svdvals_f32", [](address a, address out, address failed, std::int64_t count, int n, int m, int threads) {
    kernels().svdvals_f32(at<const float>(a), at<float>(out), at<std::uint8_t>(failed), count, n, m, threads); }, unlocked());
  m.def("svdvals_f64", [](address a, address out, address failed, std::int64_t count, int n, int m, int threads) {
    kernels().svdvals_f64(at<const double>(a), at<double>(out), at<std::uint8_t>(failed), count, n, m, threads); }, unlocked());

  m.def("pairwise_svdvals_f32", [](address left, address right, address out, std::int64_t rows, std::int64_t columns, int n, int inner,
                                   int m, int of, bool above_diagonal, int threads) {
    kernels().pairwise_svdvals_f32({rows, columns, n, inner, m, at<const float>(left), at<const float>(right), at<float>(out),
        static_cast<geolatent::SingularValueSum>(of), above_diagonal}, threads); }, unlocked());
  m.def("pairwise_svdvals_f64", [](address left, address right, address out, std::int64_t rows, std::int64_t columns, int n, int inner,
                                   int m, int of, bool above_diagonal, int threads) {
    kernels().pairwise_svdvals_f64({rows, columns, n, inner, m, at<const double>(left), at<const double>(right), at<double>(out),
        static_cast<geolatent::SingularValueSum>(of), above_diagonal}, threads); }, unlocked());

  m.def("mlp_jacobian_f32", [](address layers, address out, int decoder, int encoder, int branches, std::int64_t count, int threads) {
    require(kernels().mlp_jacobian_f32(at<const DenseLayer<float>>(layers), at<float>(out), decoder, encoder, branches, count, threads)); }, unlocked());
  m.def("mlp_jacobian_f64", [](address layers, address out, int decoder, int encoder, int branches, std::int64_t count, int threads) {
    require(kernels().mlp_jacobian_f64(at<const DenseLayer<double>>(layers), at<double>(out), decoder, encoder, branches, count, threads)); }, unlocked());

  m.def("diagonal_pairs_f32", [](address loc, address scale, address other_loc, address other_scale, address out, std::int64_t count,
                                 int n, bool squared, int threads) {
    kernels().diagonal_pairs_f32({count, n, at<const float>(loc), at<const float>(scale), at<const float>(other_loc), at<const float>(other_scale),
        at<float>(out), squared}, threads); }, unlocked());
  m.def("diagonal_pairs_f64", [](address loc, address scale, address other_loc, address other_scale, address out, std::int64_t count,
                                 int n, bool squared, int threads) {
    kernels().diagonal_pairs_f64({count, n, at<const double>(loc), at<const double>(scale), at<const double>(other_loc), at<const double>(other_scale),
        at<double>(out), squared}, threads); }, unlocked());
  m.def("diagonal_table_f32", [](address loc, address scale, address other_loc, address other_scale, address out, std::int64_t rows,
                                 std::int64_t columns, int n, int threads) {
    kernels().diagonal_table_f32({rows, columns, n, at<const float>(loc), at<const float>(scale), at<const float>(other_loc),
        at<const float>(other_scale), at<float>(out)}, threads); }, unlocked());
  m.def("diagonal_table_f64", [](address loc, address scale, address other_loc, address other_scale, address out, std::int64_t rows,
                                 std::int64_t columns, int n, int threads) {
    kernels().diagonal_table_f64({rows, columns, n, at<const double>(loc), at<const double>(scale), at<const double>(other_loc),
        at<const double>(other_scale), at<double>(out)}, threads); }, unlocked());

  m.def("fisher_rao_f64", [](address loc, address covariance, address other_loc, address other_covariance, address lower, address upper,
                             address squared_dist, address residual, address iterations, address velocity_loc,
                             address velocity_covariance, std::int64_t count, int n, int threads) {
    require(kernels().fisher_rao_f64({count, n, at<const double>(loc), at<const double>(covariance), at<const double>(other_loc),
        at<const double>(other_covariance), at<double>(lower), at<double>(upper), at<double>(squared_dist), at<double>(residual),
        at<double>(iterations), at<double>(velocity_loc), at<double>(velocity_covariance)}, threads)); }, unlocked());
}

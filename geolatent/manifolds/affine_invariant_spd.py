"""Symmetric positive definite matrices with the affine-invariant metric."""

from collections.abc import Callable

import torch
from torch import Tensor

from geolatent._kernels.pairwise_svdvals import Sum
from geolatent.manifolds.congruence import exponential, inward, outward, relative_logarithm
from geolatent.manifolds.pairwise import entries_of_product, recomputed, sums_over_svdvals
from geolatent.manifolds.positive_definite import PositiveDefinite

_NEAR = 1e-3  # distance below which the eigenvalues of A^-1 B hold too few digits of it


class AffineInvariantSPD(PositiveDefinite):
    r"""Symmetric positive definite matrices of size p; lengths are invariant under congruence and inversion.

    .. math::
        ds^2 = \operatorname{tr}\bigl((S^{-1} dS)^2\bigr), \qquad
        d^2(A, B) = \sum_i \log^2 \lambda_i(A^{-1} B)

    A complete space of non-positive curvature: geodesics and means are unique. This is twice the squared length that
    `MultivariateGaussians` gives to Gaussians of equal means. With :math:`A = L L^T`, :math:`T = \log(L^{-1} B L^{-T})`
    and :math:`E = (B A^{-1})^{1/2}`,

    .. math::
        \gamma(t) = L e^{t T} L^T, \qquad \log_A B = L T L^T, \qquad \exp_A V = L e^{L^{-1} V L^{-T}} L^T, \qquad
        V \mapsto E V E^T

    are the geodesic, the logarithm and exponential maps and parallel transport from A to B.

    Points are matrices, shape (..., p, p); tangent vectors are symmetric matrices of that shape. Everything can be
    differentiated twice.

    Args:
        p: size of the matrices.

    Accuracy:
        Error of distances at most 20 p eps (d + kappa), with d the distance and kappa the greater of cond(A) and
        cond(A^-1 B); for near matrices 20 p eps cond(A) d.

    Source:
        [pennec2006riemannian]; transport [sra2015conic].

    >>> manifold = AffineInvariantSPD(2)
    >>> manifold.dist(torch.eye(2), torch.diag(torch.tensor([1.0, 2.0])))
    tensor(0.6931)
    """

    def _squared_dist(self, point_a: Tensor, point_b: Tensor) -> Tensor:
        factor = torch.linalg.cholesky(point_a)
        return relative_logarithm(factor, point_b - point_a, point_b, point_a).square().sum((-1, -2))

    def _inner_product(self, u: Tensor, v: Tensor, base_point: Tensor) -> Tensor:
        factor = torch.linalg.cholesky(base_point)
        return (inward(factor, u) * inward(factor, v)).sum((-1, -2))

    def _exp(self, tangent_vec: Tensor, base_point: Tensor) -> Tensor:
        factor = torch.linalg.cholesky(base_point)
        return outward(factor, exponential(inward(factor, tangent_vec)))

    def _log(self, point: Tensor, base_point: Tensor) -> Tensor:
        factor = torch.linalg.cholesky(base_point)
        return outward(factor, relative_logarithm(factor, point - base_point, point, base_point))

    def _geodesic(self, initial_point: Tensor, end_point: Tensor) -> Callable[[Tensor], Tensor]:
        factor = torch.linalg.cholesky(initial_point)
        velocity = relative_logarithm(factor, end_point - initial_point, end_point, initial_point)
        return lambda time: outward(factor, exponential(time[..., None, None] * velocity))

    def _parallel_transport(self, tangent_vec: Tensor, base_point: Tensor, end_point: Tensor) -> Tensor:
        factor = torch.linalg.cholesky(base_point)
        half = exponential(relative_logarithm(factor, end_point - base_point, end_point, base_point) / 2)
        return outward(factor @ half, inward(factor, tangent_vec))

    def _factors(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        factor = torch.linalg.cholesky(points)
        identity = torch.eye(self.p, dtype=points.dtype, device=points.device).expand_as(factor)
        return points, factor, torch.linalg.solve_triangular(factor, identity, upper=False)

    def _pairwise_block(self, rows: tuple[Tensor, ...], columns: tuple[Tensor, ...]) -> Tensor:
        """The eigenvalues of A^-1 B are the squared singular values of L_A^-1 L_B; near matrices once more."""
        table = sums_over_svdvals(rows[2], columns[1], Sum.SQUARED_LOGS, within=rows is columns).sqrt_().mul_(2)
        return recomputed(table, ~(table >= _NEAR), self._dist, rows[0], columns[0])

    def _entries_of_pair(self, factors: tuple[Tensor, ...]) -> int:
        return entries_of_product(factors[0], factors[0])

"""Symmetric positive definite matrices with the log-Cholesky metric."""

import torch
from torch import Tensor

from geolatent.linalg.matrix_function import symmetric_part
from geolatent.manifolds.congruence import inward
from geolatent.manifolds.flat_spd import FlatSPD


class LogCholeskySPD(FlatSPD):
    r"""Symmetric positive definite matrices of size p, whose Cholesky factors form a Euclidean space.

    .. math::
        d^2(L L^T, K K^T) = \sum_{i > j} (L_{ij} - K_{ij})^2 + \sum_i (\log L_{ii} - \log K_{ii})^2

    and :math:`ds^2 = \sum_{i > j} dL_{ij}^2 + \sum_i (dL_{ii} / L_{ii})^2` with
    :math:`dL = L (L^{-1} dS L^{-T})_{1/2}`, the lower triangle with halved diagonal. Flat: geodesics and means are
    unique and closed forms, the cheapest of all metrics here, and determinants are interpolated monotonically. The
    order of the coordinates matters: lengths are not invariant under rotations.

    Points are matrices, shape (..., p, p); tangent vectors are symmetric matrices of that shape. Everything can be
    differentiated any number of times.

    Args:
        p: size of the matrices.

    Accuracy:
        Error of distances at most 20 p eps kappa (1 + scale), kappa the greater condition of the two matrices and scale
        the greatest entry of their Cholesky factors.

    Source:
        [lin2019riemannian].

    >>> manifold = LogCholeskySPD(2)
    >>> manifold.dist(torch.eye(2), torch.diag(torch.tensor([1.0, 4.0])))
    tensor(0.6931)
    """

    def _chart(self, point: Tensor) -> Tensor:
        factor = torch.linalg.cholesky(point)
        return factor.tril(-1) + torch.diag_embed(factor.diagonal(dim1=-1, dim2=-2).log())

    def _point(self, coordinates: Tensor) -> Tensor:
        factor = _factor(coordinates)
        return symmetric_part(factor @ factor.mT)

    def _moved_chart(self, point: Tensor, tangent_vec: Tensor) -> Tensor:
        factor = torch.linalg.cholesky(point)
        half = inward(factor, tangent_vec).tril()
        half = half - 0.5 * torch.diag_embed(half.diagonal(dim1=-1, dim2=-2))
        relative = torch.diag_embed(half.diagonal(dim1=-1, dim2=-2))  # of L' to L on the diagonal
        return (factor @ half).tril(-1) + relative

    def _moved_point(self, coordinates: Tensor, velocity: Tensor) -> Tensor:
        factor = _factor(coordinates)
        moved = velocity.tril(-1) + torch.diag_embed((factor * velocity).diagonal(dim1=-1, dim2=-2))
        return 2 * symmetric_part(factor @ moved.mT)


def _factor(coordinates: Tensor) -> Tensor:
    """Cholesky factors with these entries below the diagonal and these logarithms on it."""
    return coordinates.tril(-1) + torch.diag_embed(coordinates.diagonal(dim1=-1, dim2=-2).exp())

"""Pairs of factored positive semidefinite matrices: the two parts in which they differ."""

from typing import Literal

import torch
from torch import Tensor

from geolatent.linalg import svdvals
from geolatent.linalg.matrix_function import symmetric_part
from geolatent.manifolds import congruence, subspaces
from geolatent.manifolds.pairwise import all_products, recomputed
from geolatent.manifolds.polar_factors import rotations
from geolatent.manifolds.spsd_factors import Factors, chosen, projected, truncated

CrossRank = Literal["raise", "truncate", "schubert"]

_NEAR = 0.1  # distance below which cosines hold too few digits of it


class Pair:
    """Two factored matrices of one rank, the second seen in the basis of its range that is nearest to the first's."""

    def __init__(self, a: Factors, b: Factors) -> None:
        self.a, self.b = a, b
        self.factor = torch.linalg.cholesky(a.core)
        self.excess = subspaces.rotation_excess(a.basis, b.basis)

    def turn(self) -> Tensor:
        """Initial velocity H of the geodesic between the ranges."""
        difference = subspaces.aligned_difference(self.a.basis, self.b.basis, self.excess)
        return subspaces.logarithm(self.a.basis, difference)

    def bend(self) -> Tensor:
        r"""Return :math:`\log(L^{-1} Z P_B Z^T L^{-T})` with :math:`P_A = L L^T`."""
        difference = self.b.core - self.a.core + self._core_change()
        return congruence.relative_logarithm(self.factor, difference, self.aligned_core(), self.a.core)

    def aligned_basis(self) -> Tensor:
        r"""Return :math:`U_B Z^T`."""
        return self.b.basis + self.b.basis @ self.excess.mT

    def aligned_core(self) -> Tensor:
        r"""Return :math:`Z P_B Z^T`."""
        return self.b.core + self._core_change()

    def squared_dist(self, spectrum_weight: float) -> Tensor:
        """Squared distance."""
        return self.turn().square().sum((-1, -2)) + spectrum_weight * self.bend().square().sum((-1, -2))

    def _core_change(self) -> Tensor:
        half = self.excess @ self.b.core
        return symmetric_part(2 * half + half @ self.excess.mT)


def squared_dist(a: Factors, b: Factors, spectrum_weight: float, cross_rank: CrossRank) -> Tensor:
    """Squared distances of matrices of any ranks, by one of the policies of `FixedRankSPSD`."""
    if cross_rank == "raise":
        return Pair(a, b).squared_dist(spectrum_weight)
    rank_a, rank_b = a.kept.sum(-1), b.kept.sum(-1)
    if cross_rank == "truncate":
        keep = a.kept & b.kept
        return Pair(truncated(a, keep), truncated(b, keep)).squared_dist(spectrum_weight)
    smaller, larger = chosen(rank_a <= rank_b, a, b), chosen(rank_a <= rank_b, b, a)
    square = Pair(smaller, projected(larger, smaller)).squared_dist(spectrum_weight)
    return square + subspaces.missing_angles((rank_a - rank_b).abs().to(square.dtype))


def dist_table(rows: Factors, columns: Factors, spectrum_weight: float, cross_rank: CrossRank) -> Tensor:
    """Distances of N to M matrices without derivatives: r x r numbers a pair.

    With P diagonal, the logarithms are those of the squared singular values of :math:`P_A^{-1/2} Z P_B^{1/2}`, A of the
    lower rank. Near pairs go through `squared_dist`, and those with an angle that is right but for rounding.
    """
    rank_a, rank_b = rows.kept.sum(-1).unsqueeze(1), columns.kept.sum(-1)
    counted = rows.kept.unsqueeze(1) & columns.kept
    product = all_products(rows.basis.mT, columns.basis)
    scale_a, scale_b = rows.values.sqrt().unsqueeze(1), columns.values.sqrt()
    missing = (rank_a - rank_b).abs().to(product.dtype)
    if cross_rank == "schubert":
        swap = (rank_a > rank_b).unsqueeze(-1)
        product = torch.where(swap.unsqueeze(-1), product.mT, product)
        scale_a, scale_b = torch.where(swap, scale_b, scale_a), torch.where(swap, scale_a, scale_b)
    else:
        product, missing = product * counted.unsqueeze(-1) * counted.unsqueeze(-2), torch.zeros_like(missing)
    rotation, cosines, lost = rotations(product, counted)
    angles = torch.where(counted, cosines, 1.0).clamp_max(1.0).acos()
    stretches = svdvals(rotation.mul_(scale_b.unsqueeze(-2)).div_(scale_a.unsqueeze(-1)))
    bends = torch.where(counted, stretches, 1.0).log()
    squares = angles.square().sum(-1) + 4 * spectrum_weight * bends.square().sum(-1) + subspaces.missing_angles(missing)

    def formula(a: Factors, b: Factors) -> Tensor:
        return squared_dist(a, b, spectrum_weight, cross_rank).sqrt()

    return recomputed(squares.sqrt(), lost | (squares < _NEAR**2), formula, rows, columns)

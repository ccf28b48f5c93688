r"""Factors of positive semidefinite matrices, :math:`S = U P U^T`, and how matrices of unequal rank are compared.

Columns of U beyond the rank are zero, and P is the identity there, so that matrices of several ranks share one shape.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from geolatent.linalg import eigh
from geolatent.linalg.matrix_function import symmetric_part
from geolatent.manifolds.subspaces import orthonormalised

_REFINEMENTS = 3


class Factors(NamedTuple):
    """Matrices :math:`S = U P U^T`, r the greatest rank."""

    basis: Tensor
    """U, orthonormal columns, shape (..., p, r)."""
    core: Tensor
    """P, positive definite, shape (..., r, r)."""
    values: Tensor
    """Eigenvalues of P in descending order, one beyond the rank, shape (..., r); not differentiable."""
    kept: Tensor
    """Which columns count, bool, shape (..., r)."""


def factors(matrix: Tensor, rank: int, rtol: float) -> Factors:
    r"""Factor matrices (..., p, p) of rank at most r; eigenvalues up to ``rtol`` times the largest count as zero.

    The eigenvectors :math:`U_0` are constants to autograd: near S the range is that of :math:`S U_0 \Lambda^{-1}`,
    which is orthonormalised, so no difference of eigenvalues is divided by.
    """
    values, vectors = eigh(symmetric_part(matrix.detach()))
    values, start = values[..., -rank:].flip(-1), vectors[..., -rank:].flip(-1)
    kept = values > rtol * values[..., :1]
    values, start = torch.where(kept, values, 1.0), start * kept.unsqueeze(-2)
    moved = start + symmetric_part(matrix - matrix.detach()) @ (start / values.unsqueeze(-2))
    basis = orthonormalised(moved)
    core = symmetric_part(basis.mT @ symmetric_part(matrix) @ basis) + torch.diag_embed((~kept).to(values.dtype))
    return Factors(basis, core, values, kept)


def narrowed(points: Factors) -> Factors:
    """Drop the columns in which no matrix of the set has rank."""
    rank = int(points.kept.sum(-1).max())
    return Factors(
        points.basis[..., :rank], points.core[..., :rank, :rank], points.values[..., :rank], points.kept[..., :rank]
    )


def widened(points: Factors, rank: int) -> Factors:
    """Add columns that do not count."""
    more = rank - points.values.shape[-1]
    if more == 0:
        return points
    identity = torch.eye(rank, dtype=points.core.dtype, device=points.core.device)
    core = pad(points.core, (0, more, 0, more)) + identity * (torch.arange(rank, device=identity.device) >= rank - more)
    return Factors(
        pad(points.basis, (0, more)), core, pad(points.values, (0, more), value=1.0), pad(points.kept, (0, more))
    )


def truncated(point: Factors, keep: Tensor) -> Factors:
    """Keep the leading eigenvectors, those where ``keep`` is True.

    They move as the leading invariant subspace of P does, found by fixed-point steps on its Riccati equation.
    """
    values = torch.where(keep, point.values, 1.0)
    dropped = point.kept & ~keep
    gap = point.values.unsqueeze(-2) - point.values.unsqueeze(-1)
    moves = dropped.unsqueeze(-1) & keep.unsqueeze(-2) & (gap > 0)
    gap = torch.where(moves, gap, torch.inf)
    change = point.core - torch.diag_embed(point.values)
    leading = torch.diag_embed(keep.to(point.core.dtype))
    slope = torch.zeros_like(point.core)
    for _ in range(_REFINEMENTS):
        moved = change @ (leading + slope)
        slope = (moved - slope @ leading @ moved) / gap
    basis = orthonormalised(leading + slope)
    core = symmetric_part(basis.mT @ point.core @ basis) + torch.diag_embed((~keep).to(values.dtype))
    return Factors(point.basis @ basis, core, values, keep)


def projected(point: Factors, smaller: Factors) -> Factors:
    """Restrict matrices to the part of their range nearest to that of ``smaller``; those of equal rank stay."""
    unequal = (point.kept & ~smaller.kept).any(-1)
    beyond = torch.diag_embed((~smaller.kept).to(point.core.dtype))
    inner = point.basis.mT @ smaller.basis + beyond
    identity = torch.eye(inner.shape[-1], dtype=inner.dtype, device=inner.device)
    inner = torch.where(unequal[..., None, None], inner, identity)  # no derivative of QR where it is not needed
    frame = torch.linalg.qr(inner).Q * smaller.kept.unsqueeze(-2)
    core = symmetric_part(frame.mT @ point.core @ frame) + beyond
    return chosen(unequal, Factors(point.basis @ frame, core, point.values, smaller.kept), point)


def chosen(condition: Tensor, yes: Factors, no: Factors) -> Factors:
    """Choose between two factored matrices by a condition a matrix."""
    matrix, vector = condition[..., None, None], condition[..., None]
    return Factors(
        torch.where(matrix, yes.basis, no.basis),
        torch.where(matrix, yes.core, no.core),
        torch.where(vector, yes.values, no.values),
        torch.where(vector, yes.kept, no.kept),
    )

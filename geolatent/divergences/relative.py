r"""One covariance seen from another: the factor C of :math:`L^{-1} \Sigma L^{-\top} = C C^\top`, accurate near I."""

from math import factorial
from typing import NamedTuple

import torch
from torch import Tensor

_NEAR = 0.5
_SERIES = [1 / factorial(k) for k in range(2, 19)]


class RelativeFactor(NamedTuple):
    """The lower triangular factor C of a covariance in coordinates where the reference is the identity."""

    excess: Tensor
    """C - I, shape (..., n, n)."""
    log_pivots: Tensor
    """Logarithms of the squared diagonal of C, shape (..., n)."""


def relative_factor(covariance: Tensor, reference: Tensor) -> RelativeFactor:
    r"""Factor :math:`L^{-1} \Sigma L^{-\top} = C C^\top` with L the Cholesky factor of the reference.

    Near the reference C comes from the difference of the two matrices, whose small entries keep their digits.
    """
    factor = torch.linalg.cholesky(reference)
    difference = whiten(covariance - reference, factor)
    near = is_near(difference)
    close = factor_near_identity(torch.where(near[..., None, None], difference, 0.0))
    quotient = torch.linalg.solve_triangular(factor, torch.linalg.cholesky(covariance), upper=False)
    log_pivots = 2 * quotient.diagonal(dim1=-1, dim2=-2).log()
    return RelativeFactor(
        torch.where(near[..., None, None], close.excess, quotient - identity_like(quotient)),
        torch.where(near[..., None], close.log_pivots, log_pivots),
    )


def whiten(matrix: Tensor, factor: Tensor) -> Tensor:
    r"""Return :math:`L^{-1} A L^{-\top}` for symmetric matrices A and Cholesky factors L."""
    half = torch.linalg.solve_triangular(factor, matrix, upper=False)
    return torch.linalg.solve_triangular(factor, half.mT, upper=False)


def is_near(difference: Tensor) -> Tensor:
    """Whether I + ``difference`` is near the identity: largest row sum of magnitudes below one half."""
    return difference.abs().sum(-1).amax(-1) < _NEAR


def factor_near_identity(difference: Tensor) -> RelativeFactor:
    r"""Factor :math:`I + D = C C^\top` for small D, each entry of C - I to its own relative precision.

    .. math:: C_{ii}^2 - 1 = D_{ii} - \textstyle\sum_{k < i} C_{ik}^2
    """
    factor = torch.linalg.cholesky(identity_like(difference) + difference)
    strict = factor.tril(-1)
    pivots_excess = difference.diagonal(dim1=-1, dim2=-2) - strict.square().sum(-1)
    log_pivots = pivots_excess.log1p()
    return RelativeFactor(strict + torch.diag_embed((log_pivots / 2).expm1()), log_pivots)


def log_det_gap(factor: RelativeFactor) -> Tensor:
    r"""Return :math:`\operatorname{tr} D - \log \det (I + D)`, where :math:`I + D = C C^\top`, as a sum of terms >= 0.

    .. math:: \sum_i (C_{ii}^2 - 1 - \log C_{ii}^2) + \sum_{i > k} C_{ik}^2
    """
    return exponential_gap(factor.log_pivots).sum(-1) + factor.excess.tril(-1).square().sum((-1, -2))


def exponential_gap(u: Tensor) -> Tensor:
    r"""Return :math:`e^u - 1 - u`, by its power series where \|u\| < 1/2."""
    near = u.abs() < _NEAR
    small = torch.where(near, u, 0.0)
    series = torch.zeros_like(u)
    for coefficient in reversed(_SERIES):
        series = series * small + coefficient
    return torch.where(near, series * small.square(), u.expm1() - u)


def log_ratio(scale: Tensor, reference: Tensor) -> Tensor:
    r"""Return :math:`\log(\sigma / \sigma_{ref})`, from the difference of the two where they are near."""
    difference = scale - reference
    near = difference.abs() < _NEAR * reference
    excess = torch.where(near, difference, 0.0) / reference
    return torch.where(near, excess.log1p(), scale.log() - reference.log())


def identity_like(matrix: Tensor) -> Tensor:
    """Return the identity of the size, type and device of ``matrix``."""
    return torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)

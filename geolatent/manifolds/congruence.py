r"""The affine-invariant geometry of positive definite matrices, seen from one of them.

With :math:`A = L L^T` and :math:`W = L^{-1} B L^{-T}` everything is a function of W, and congruences act on L alone.
"""

import torch
from torch import Tensor

from geolatent.linalg.matrix_function import matrix_function, symmetric_part
from geolatent.linalg.scalar_functions import Exponential, Logarithm, ScalarFunction

_NEAR = 0.5  # largest row sum of |W - I| below which W counts as near the identity


def inward(factor: Tensor, matrix: Tensor) -> Tensor:
    r"""Return :math:`L^{-1} M L^{-T}` for symmetric matrices M."""
    half = torch.linalg.solve_triangular(factor, matrix, upper=False)
    return symmetric_part(torch.linalg.solve_triangular(factor, half.mT, upper=False))


def outward(factor: Tensor, matrix: Tensor) -> Tensor:
    r"""Return :math:`L M L^T` for symmetric matrices M."""
    return symmetric_part(factor @ matrix @ factor.mT)


def exponential(matrix: Tensor) -> Tensor:
    r"""Return :math:`e^M` for symmetric matrices M."""
    return matrix_function(Exponential(), matrix)[0]


def relative_logarithm(factor: Tensor, difference: Tensor, point: Tensor, base: Tensor) -> Tensor:
    r"""Logarithm of W, from B - A, which keeps the digits of near matrices.

    Args:
        factor: L, the Cholesky factor of A, shape (..., p, p).
        difference: B - A.
        point: B.
        base: A.

    Returns:
        :math:`\log W = \log(I + (W - c I) / c) + \log c`, where c = 1 for matrices near to each other and c is the mean
        diagonal entry of W for others.
    """
    whitened = inward(factor, difference.detach())
    near = whitened.abs().sum(-1).amax(-1) < _NEAR
    mean = inward(factor, point.detach()).diagonal(dim1=-1, dim2=-2).mean(-1)
    scale = torch.where(near, 1.0, mean.clamp_min(torch.finfo(mean.dtype).tiny))[..., None, None]
    excess = torch.where(near[..., None, None], difference, point / scale - base)
    identity = torch.eye(factor.shape[-1], dtype=factor.dtype, device=factor.device)
    return matrix_function(LogOnePlus(), inward(factor, excess))[0] + scale.log() * identity


class LogOnePlus(ScalarFunction):
    """The function log(1 + x) of numbers above -1; of numbers that rounding brought below, of the least above."""

    def value(self, x: Tensor) -> Tensor:
        """Return log(1 + x)."""
        return _above(x).log1p()

    def slope(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the first divided difference."""
        low, gap = 1 + _above(torch.minimum(a, b)), (a - b).abs()
        apart = gap > 0
        return torch.where(apart, torch.log1p(gap / low) / torch.where(apart, gap, 1.0), 1 / low)

    def bend(self, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        """Return the second divided difference."""
        return Logarithm().bend(1 + _above(a), 1 + _above(b), 1 + _above(c))


def _above(x: Tensor) -> Tensor:
    return x.clamp_min(torch.finfo(x.dtype).eps / 2 - 1)

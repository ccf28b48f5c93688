"""Functions whose formula is 0/0 at zero, or has no derivative there: power series carry them through it.

Both branches of every ``torch.where`` receive an argument at which they are harmless, so no derivative is ever NaN.
"""

from math import factorial

import torch
from torch import Tensor

from geolatent import _kernels

# Below these arguments the series is used; the omitted terms stay below the rounding errors of two derivatives.
_ASINH_SERIES_BELOW = 1 / 32
_SINH_SERIES_BELOW = 1.0
_SLOPE = [(-4) ** k * factorial(k) ** 2 / factorial(2 * k + 1) for k in range(14)]
_SQUARE = [coefficient / (k + 1) for k, coefficient in enumerate(_SLOPE)]
_SINH = [1 / factorial(2 * k + 1) for k in range(11)]
_COSH = [1 / factorial(2 * k) for k in range(11)]


def root(square: Tensor) -> Tensor:
    """Square root of a number >= 0, with the subgradient zero at zero."""
    zero = square == 0
    return torch.where(zero, 0.0, torch.where(zero, 1.0, square).sqrt())


def asinh_root_squared(z: Tensor) -> Tensor:
    r"""Return :math:`g(z) = \operatorname{asinh}^2 \sqrt z` for z >= 0."""
    if not _kernels.differentiated(z):
        return _asinh_root(z).square()  # nothing is differentiated: the series would only cost time
    small = z < _ASINH_SERIES_BELOW
    near = torch.where(small, z, 0.0)
    return torch.where(small, near * _polynomial(near, _SQUARE), _asinh_root(torch.where(small, 1.0, z)).square())


def asinh_root_slope(z: Tensor) -> Tensor:
    r"""Return :math:`g'(z) = \operatorname{asinh} \sqrt z / \sqrt{z (1 + z)}`: r / sinh(r) at z = sinh(r / 2)^2."""
    small = z < _ASINH_SERIES_BELOW
    far = torch.where(small, 1.0, z)
    return torch.where(
        small, _polynomial(torch.where(small, z, 0.0), _SLOPE), _asinh_root(far) / far.sqrt() / (1 + far).sqrt()
    )


def sinh_root_ratio(square: Tensor) -> Tensor:
    r"""Return :math:`\sinh(r) / r` for :math:`r^2` = ``square`` >= 0."""
    small = square < _SINH_SERIES_BELOW
    r = torch.where(small, 1.0, square).sqrt()
    return torch.where(small, _polynomial(torch.where(small, square, 0.0), _SINH), r.sinh() / r)


def cosh_root(square: Tensor) -> Tensor:
    r"""Return :math:`\cosh(r)` for :math:`r^2` = ``square`` >= 0."""
    small = square < _SINH_SERIES_BELOW
    r = torch.where(small, 1.0, square).sqrt()
    return torch.where(small, _polynomial(torch.where(small, square, 0.0), _COSH), r.cosh())


def _asinh_root(z: Tensor) -> Tensor:
    """Return asinh(sqrt(z)), with log1p in place of asinh, which torch does not vectorise; infinity stays infinity."""
    return torch.where(z == torch.inf, z, torch.log1p(z.sqrt() + z / (1 + (1 + z).sqrt())))


def _polynomial(x: Tensor, coefficients: list[float]) -> Tensor:
    value = torch.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = value * x + coefficient
    return value

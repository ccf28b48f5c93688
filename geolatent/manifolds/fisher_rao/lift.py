r"""A pair of Gaussians lifted to a symmetric space: the formulas of the general Fisher-Rao distance.

Whitened by the first Gaussian and rotated, a pair is :math:`(0, I)` and :math:`(m, \operatorname{diag}(1 + e))`. For
every skew matrix K, with :math:`C = K - m m^T / 2` and :math:`r = (1 + e)^{-1/2}`,

.. math::
    B = \tfrac12 \begin{bmatrix} C - \operatorname{diag} e \\ \sqrt2\, m^T \end{bmatrix} \operatorname{diag} r
      = U \sinh(s / 2) V_2^T, \qquad P = U s V^T, \qquad f(K) = \tfrac12 \sum_i s_i^2 \ge d^2,

where V comes from :math:`D = \tfrac12 (2 I + \operatorname{diag} e - C) \operatorname{diag} r = V \cosh(s / 2) V_2^T`.
With :math:`P_1` the first n rows of P, the gradient is :math:`f'(K) = (P_1 - P_1^T) / 2`. The minimum over K is
:math:`d^2`; there :math:`-P_1` is the velocity of the covariance, the last row of P over :math:`\sqrt2` that of the
mean.

Source: [eriksen1987geodesics]; derivation in the design notes, "The Fisher-Rao solver".
"""

from typing import NamedTuple

import torch
from torch import Tensor

_NEAR = 0.25  # of |E|; below, the spectrum is computed from the difference of the covariances


class Pair(NamedTuple):
    """A pair in whitened, rotated coordinates: m and e, shape (..., n), and the matrix that leads back, (..., n, n)."""

    mean: Tensor
    excess: Tensor
    values: Tensor
    back: Tensor


class Lift(NamedTuple):
    """The lift at one K: f, its gradient, P and the singular value decomposition of P, U complete."""

    value: Tensor
    gradient: Tensor
    velocity: Tensor
    left: Tensor
    singular: Tensor
    right: Tensor

    @property
    def residual(self) -> Tensor:
        """The gradient's norm over that of P; zero where both vanish."""
        norm = (2 * self.value).sqrt()
        return torch.linalg.matrix_norm(self.gradient) / torch.where(norm > 0, norm, 1.0)


def whiten(loc: Tensor, covariance: Tensor, other_loc: Tensor, other_covariance: Tensor) -> Pair:
    """Bring pairs, means (..., n) and covariances (..., n, n), to whitened, rotated coordinates."""
    factor = torch.linalg.cholesky(covariance)
    other_factor = _solve(factor, torch.linalg.cholesky(other_covariance))
    difference = _solve(factor, _solve(factor, other_covariance - covariance).mT)
    mean = _solve(factor, (other_loc - loc).unsqueeze(-1)).squeeze(-1)
    excess, values, frame = spectrum_of(difference, other_factor)
    return Pair((frame.mT @ mean.unsqueeze(-1)).squeeze(-1), excess, values, factor @ frame)


def spectrum_of(difference: Tensor, factor: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Eigenvalues of E, those of I + E = F F^T, and eigenvectors; from E where it is small, otherwise from F."""
    near = torch.linalg.matrix_norm(difference) < _NEAR
    small, small_vectors = torch.linalg.eigh(torch.where(near[..., None, None], difference, 0.0))
    vectors, singular, _ = torch.linalg.svd(factor)
    square = singular.square()
    excess = torch.where(near[..., None], small, square - 1)
    values = torch.where(near[..., None], 1 + small, square)
    return excess, values, torch.where(near[..., None, None], small_vectors, vectors)


def lift(pair: Pair, fibre: Tensor) -> Lift:
    """Evaluate at skew matrices K = ``fibre``, shape (..., n, n)."""
    m, scale = pair.mean, pair.values.rsqrt().unsqueeze(-2)
    c = fibre - 0.5 * m.unsqueeze(-1) * m.unsqueeze(-2)
    top = 0.5 * (c - torch.diag_embed(pair.excess)) * scale
    b = torch.cat([top, 0.5**0.5 * m.unsqueeze(-2) * scale], -2)
    d = 0.5 * (torch.diag_embed(2 + pair.excess) - c) * scale
    left, sinh, turned = torch.linalg.svd(b)
    turned = d @ turned.mT
    right = turned / torch.linalg.vector_norm(turned, dim=-2, keepdim=True)
    singular = 2 * sinh.asinh()
    velocity = (left[..., :-1] * singular.unsqueeze(-2)) @ right.mT
    return Lift(0.5 * singular.square().sum(-1), skew(velocity[..., :-1, :]), velocity, left, singular, right)


def half_coth(t: Tensor) -> Tensor:
    """Return (t/2) coth(t/2)."""
    small = t.abs() < 1e-4
    far = torch.where(small, 1.0, t)
    return torch.where(small, 1 + t.square() / 12, 0.5 * far / torch.tanh(0.5 * far))


def apply_half_coth(left: Tensor, singular: Tensor, right: Tensor, block: Tensor) -> Tensor:
    """Apply (t/2) coth(t/2) of the bracket with P = U s V^T to (..., n + 1, n) blocks, t its eigenvalues."""
    inner = left.mT @ block @ right
    head, last = inner[..., :-1, :], inner[..., -1:, :]
    rows, columns = singular.unsqueeze(-1), singular.unsqueeze(-2)
    even = half_coth(rows - columns) * (head + head.mT)
    odd = half_coth(rows + columns) * (head - head.mT)
    return left @ torch.cat([0.5 * (even + odd), half_coth(columns) * last], -2) @ right.mT


def hessian_times(at: Lift, direction: Tensor) -> Tensor:
    """Second derivative of f at the lift, applied to skew matrices."""
    even = symmetric(at.velocity[..., :-1, :])
    padded = torch.cat([direction, torch.zeros_like(direction[..., :1, :])], -2)
    bent = apply_half_coth(at.left, at.singular, at.right, padded)[..., :-1, :]
    return skew(bent + direction @ even)


def skew(matrix: Tensor) -> Tensor:
    """Skew part."""
    return 0.5 * (matrix - matrix.mT)


def symmetric(matrix: Tensor) -> Tensor:
    """Symmetric part."""
    return 0.5 * (matrix + matrix.mT)


def _solve(lower: Tensor, right: Tensor) -> Tensor:
    return torch.linalg.solve_triangular(lower, right, upper=False)

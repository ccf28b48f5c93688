r"""A pair of Gaussians lifted to a symmetric space: the formulas of the general Fisher-Rao distance.

Whitened by the first Gaussian and reflected, a pair is :math:`(0, I)` and :math:`(m, S)` with :math:`m = \mu e_1`. With
:math:`S = T T^T`, T upper triangular, :math:`R = T^{-T}`, and any skew matrix K,

.. math::
    B = \tfrac12 \begin{bmatrix} C R + R - T \\ \sqrt2\, m^T R \end{bmatrix} = U \sinh(s / 2) V_2^T, \qquad
    C = K - \tfrac12 m m^T, \qquad P = U s V^T, \qquad f(K) = \tfrac12 \sum_i s_i^2 \ge d^2,

where V comes from :math:`D = \tfrac12 (R + T - C R) = V \cosh(s / 2) V_2^T`. With :math:`P_1` the first n rows of P,
the gradient is :math:`f'(K) = (P_1 - P_1^T) / 2`. The minimum over K is :math:`d^2`; there :math:`-P_1` is the velocity
of the covariance, the last row of P over :math:`\sqrt2` that of the mean.

Source: [eriksen1987geodesics]; derivation in the design notes, "The Fisher-Rao solver".
"""

from typing import NamedTuple

import torch
from torch import Tensor

_NEAR = 0.25  # of |E|; below, the spectrum is computed from the difference of the covariances


class Pair(NamedTuple):
    """A pair in whitened, reflected coordinates: (0, I) and (mu e_1, S)."""

    mean: Tensor  # mu, (...)
    difference: Tensor  # S - I, (..., n, n)
    triangle: Tensor  # T
    inverse: Tensor  # R = T^-T
    gap: Tensor  # R - T
    excess: Tensor  # eigenvalues of S - I, (..., n)
    values: Tensor  # eigenvalues of S
    commutator: Tensor  # [log S, m m^T]
    back: Tensor  # the matrix that leads back to the coordinates of the pair


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
    """Bring pairs, means (..., n) and covariances (..., n, n), to whitened, reflected coordinates."""
    factor = torch.linalg.cholesky(covariance)
    other_factor = _solve(factor, torch.linalg.cholesky(other_covariance))
    difference = _solve(factor, _solve(factor, other_covariance - covariance).mT)
    mean, reflection = _reflect(_solve(factor, (other_loc - loc).unsqueeze(-1)).squeeze(-1))
    difference = reflection @ difference @ reflection
    triangle = _upper(reflection @ other_factor)
    identity = torch.eye(loc.shape[-1], dtype=loc.dtype, device=loc.device).expand(triangle.shape)
    inverse = _solve(triangle.mT, identity)
    excess, values, vectors = spectrum_of(difference, triangle)
    gap = torch.where(_near(difference)[..., None, None], -difference @ inverse, inverse - triangle)
    turning = (vectors * vectors[..., :1, :] * values.log().unsqueeze(-2)).sum(-1)  # (log S) e_1
    column = torch.zeros_like(triangle)
    column[..., 1:, 0] = mean.square().unsqueeze(-1) * turning[..., 1:]
    return Pair(mean, difference, triangle, inverse, gap, excess, values, column - column.mT, factor @ reflection)


def _reflect(mean: Tensor) -> tuple[Tensor, Tensor]:
    """Return mu and the reflection that takes the mean (..., n) to mu e_1."""
    scale = mean.abs().amax(-1, keepdim=True)
    unit = mean / torch.where(scale > 0, scale, 1.0)
    turned = unit[..., 1:].square().sum(-1) > 0
    norm = torch.linalg.vector_norm(unit, dim=-1)
    length = torch.where(unit[..., 0] < 0, norm, -norm)
    factor = 1 / torch.where(turned, norm.square() - length * unit[..., 0], 1.0)
    normal = torch.cat([(unit[..., 0] - length).unsqueeze(-1), unit[..., 1:]], -1)
    outer = (torch.where(turned, factor, 0.0).unsqueeze(-1) * normal).unsqueeze(-1) * normal.unsqueeze(-2)
    identity = torch.eye(mean.shape[-1], dtype=mean.dtype, device=mean.device)
    return torch.where(turned, length * scale.squeeze(-1), mean[..., 0]), identity - outer


def _upper(matrix: Tensor) -> Tensor:
    """Upper triangular T with T T^T = A A^T and a positive diagonal."""
    triangle = torch.linalg.qr(matrix.flip(-2).mT).R.mT.flip((-1, -2))
    return triangle * triangle.diagonal(dim1=-1, dim2=-2).sign().unsqueeze(-2)


def spectrum_of(difference: Tensor, factor: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Eigenvalues of E, those of I + E = F F^T, and eigenvectors; from E where it is small, otherwise from F."""
    near = _near(difference)
    small, small_vectors = torch.linalg.eigh(torch.where(near[..., None, None], difference, 0.0))
    vectors, singular, _ = torch.linalg.svd(factor)
    square = singular.square()
    excess = torch.where(near[..., None], small, square - 1)
    values = torch.where(near[..., None], 1 + small, square)
    return excess, values, torch.where(near[..., None, None], small_vectors, vectors)


def _near(difference: Tensor) -> Tensor:
    return torch.linalg.matrix_norm(difference) < _NEAR


def lift(pair: Pair, fibre: Tensor) -> Lift:
    """Evaluate at skew matrices K = ``fibre``, shape (..., n, n)."""
    shift = fibre @ pair.inverse  # C R
    shift[..., 0, 0] -= 0.5 * pair.mean.square() * pair.inverse[..., 0, 0]
    row = 0.5**0.5 * (pair.mean.unsqueeze(-1) * pair.inverse[..., 0, :]).unsqueeze(-2)
    b = torch.cat([0.5 * (pair.gap + shift), row], -2)
    d = 0.5 * (pair.inverse + pair.triangle - shift)
    left, sinh, turned = torch.linalg.svd(b)
    # Normalised columns of D V2, largest first: rounding of large columns that leaked into small ones is projected out.
    basis, triangle = torch.linalg.qr(d @ turned.mT)
    right = basis * triangle.diagonal(dim1=-1, dim2=-2).sign().unsqueeze(-2)
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

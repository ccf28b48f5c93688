r"""Closed forms of subspaces, given by orthonormal bases; a tangent vector is H with :math:`A^T H = 0`.

With :math:`A^T B = U \cos(\Theta) V^T` the rotation :math:`Z = U V^T` brings the basis B nearest to A, and everything
is a function of :math:`D = B Z^T - A`, whose singular values are :math:`2 \sin(\theta_i / 2)`: near subspaces keep
their digits. All is written with products of matrices alone and no eigenvectors, so repeated angles do no harm.

Source: [edelman1998geometry]; angles [bjorck1973numerical].
"""

from math import comb, pi
from typing import TypeVar

import torch
from torch import Tensor

from geolatent.linalg.matrix_function import symmetric_part

Count = TypeVar("Count", float, Tensor)

_NEAR = 0.5  # size of B - A below which the rotation is looked for from the identity
_TURNS = 8
_HALVINGS = 2
_ROOT_STEPS = 8
_SERIES = [comb(2 * n, n) / 4**n / (2 * n + 1) for n in range(20)]  # asin(s) / s in powers of s^2


def orthonormalised(near: Tensor) -> Tensor:
    r"""Return :math:`Y (Y^T Y)^{-1/2}` for matrices Y whose columns, but for rounding, are orthonormal or zero.

    What is computed from it depends on the subspace alone, also to autograd: gradients are tangent vectors.
    """
    excess = near.mT @ near - torch.eye(near.shape[-1], dtype=near.dtype, device=near.device)
    return near - near @ (excess - 0.75 * excess @ excess + 0.625 * excess @ excess @ excess) / 2


def rotation_excess(a: Tensor, b: Tensor) -> Tensor:
    r"""Return Z - I, with Z the rotation for which :math:`\|B Z^T - A\|_F` is least, for bases (..., p, k).

    Each step turns Z by the Omega that makes :math:`X = A^T B Z^T` symmetric to first order,
    :math:`X \Omega + \Omega X^T = X - X^T`, in the eigenbasis of X. Start and eigenbasis are constants to autograd:
    the steps carry the derivatives. Directions of right angles are not turned.
    """
    difference, product = b - a, a.mT @ b
    left, cosines, right = torch.linalg.svd(product.detach())
    sums = cosines.unsqueeze(-1) + cosines.unsqueeze(-2)
    sums = torch.where(sums > 64 * torch.finfo(sums.dtype).eps, sums, torch.inf)
    identity = torch.eye(product.shape[-1], dtype=product.dtype, device=product.device)
    near = (torch.linalg.matrix_norm(difference.detach()) < _NEAR)[..., None, None]
    excess = torch.where(near, 0.0, left @ right - identity)
    half = a.mT @ difference
    for _ in range(_TURNS):
        deviation = half + product @ excess.mT  # X less a symmetric matrix
        turn = left @ (left.mT @ (deviation - deviation.mT) @ left / sums) @ left.mT
        turn = torch.linalg.inv(identity - turn / 2) @ turn
        excess = excess + turn + turn @ excess
    return excess


def aligned_difference(a: Tensor, b: Tensor, excess: Tensor) -> Tensor:
    r"""Return :math:`D = B Z^T - A`."""
    return b - a + b @ excess.mT


def logarithm(a: Tensor, difference: Tensor) -> Tensor:
    r"""Tangent vector at A that leads to the subspace of A + D, D the aligned difference.

    The sine part :math:`(I - A A^T) D = U \sin(\Theta) V^T` and :math:`\cos \Theta = I - D^T D / 2` are brought to a
    quarter of the angles by square roots; there the power series of asin(s) / s ends soon.
    """
    identity = torch.eye(a.shape[-1], dtype=a.dtype, device=a.device)
    sine = horizontal(a, difference)
    cosine_gap = symmetric_part(difference.mT @ difference) / 2  # I - cos
    for _ in range(_HALVINGS):
        inverse = _inverse_root(identity - cosine_gap / 2)  # of the cosines of half the angles
        sine = sine @ inverse / 2
        square = symmetric_part(sine.mT @ sine)
        cosine_gap = _cosine_gap(square, cosine_gap, inverse, identity)
    ratio = _SERIES[-1] * identity
    for coefficient in reversed(_SERIES[:-1]):
        ratio = ratio @ square + coefficient * identity
    return 2**_HALVINGS * sine @ ratio


def exponential(a: Tensor, tangent: Tensor) -> Tensor:
    r"""Basis :math:`A \cos R + H \frac{\sin R}{R}` of the geodesic's end, :math:`R^2 = H^T H`, orthonormal."""
    cosine, ratio = _cosine_and_ratio(symmetric_part(tangent.mT @ tangent))
    return orthonormalised(a @ cosine + tangent @ ratio)


def transported(vector: Tensor, a: Tensor, tangent: Tensor) -> Tensor:
    r"""Transport ``vector`` from A to the basis `exponential`, along the geodesic of ``tangent``.

    .. math:: W - A \frac{\sin R}{R} H^T W + H \frac{\cos R - I}{R^2} H^T W
    """
    cosine, ratio = _cosine_and_ratio(symmetric_part(tangent.mT @ tangent) / 4)
    inner = tangent.mT @ vector
    return vector - a @ (ratio @ cosine @ inner) - tangent @ (ratio @ ratio @ inner) / 2


def horizontal(a: Tensor, vector: Tensor) -> Tensor:
    """Part of ``vector`` that changes the subspace of A: what is left without A's own columns."""
    return vector - a @ (a.mT @ vector)


def nearest_basis(a: Tensor, b: Tensor) -> Tensor:
    """Basis, with as many columns as A has, of the part of the larger subspace B that is nearest to A."""
    return b @ torch.linalg.qr(b.mT @ a).Q


def missing_angles(count: Count) -> Count:
    """Sum of the squares of the right angles that subspaces of unequal dimension have beside the principal ones."""
    return count * (pi / 2) ** 2


def _cosine_gap(square: Tensor, gap: Tensor, inverse: Tensor, identity: Tensor) -> Tensor:
    r"""Return :math:`1 - \cos(\theta / 2) = \sin^2(\theta / 2) / (1 + \cos(\theta / 2))`."""
    cosine = (identity - gap / 2) @ inverse
    return symmetric_part(torch.linalg.inv(identity + cosine) @ square)


def _inverse_root(matrix: Tensor) -> Tensor:
    """Inverse square root of symmetric matrices of eigenvalues in [1/2, 1], by the coupled Newton-Schulz iteration."""
    identity = torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
    root, inverse = matrix, identity
    for _ in range(_ROOT_STEPS):
        step = 1.5 * identity - inverse @ root / 2
        root, inverse = root @ step, step @ inverse
    return inverse


def _cosine_and_ratio(square: Tensor) -> tuple[Tensor, Tensor]:
    r"""Return :math:`\cos R` and :math:`\sin R / R` for :math:`R^2` = ``square``, from the flow of x'' = -R^2 x."""
    k = square.shape[-1]
    identity = torch.eye(k, dtype=square.dtype, device=square.device).expand_as(square)
    zero = torch.zeros_like(square)
    flow = torch.linalg.matrix_exp(torch.cat([torch.cat([zero, -square], -1), torch.cat([identity, zero], -1)], -2))
    return flow[..., :k, :k], flow[..., k:, :k]

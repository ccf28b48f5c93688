"""Kernels from squared distances, and an audit of their definiteness."""

import math
from numbers import Real
from typing import NamedTuple

import torch
from torch import Tensor

from geolatent.embeddings.checks import require_distances, require_squared_dist, require_symmetric_table
from geolatent.linalg import eigvalsh


class Definiteness(NamedTuple):
    """How far a kernel is from positive semidefinite."""

    eigenvalues: Tensor
    """All eigenvalues, descending, shape (n,)."""
    smallest_eigenvalue: float
    """The last of them."""
    negative_mass: float
    """Sum of the negative eigenvalues' moduli over the sum of the positive ones."""
    positive_semidefinite: bool
    """Whether the smallest eigenvalue is not below minus the rounding of the largest, 20 n eps."""


def centred_kernel(squared_dist: Tensor) -> Tensor:
    r"""Kernel of inner products that squared distances imply, the origin at the points' mean.

    .. math:: K = -\tfrac12 J D^2 J, \qquad J = I - \tfrac1n \mathbf 1 \mathbf 1^\top

    K is positive semidefinite exactly if the distances are those of points in a Hilbert space, that is if the squares
    are of negative type. Distances of curved manifolds mostly are not: see :func:`definiteness`.

    Args:
        squared_dist: squared distances of n points to each other, shape (n, n), n at least 2; from a manifold,
            ``manifold.pairwise_dist(points).square()``.

    Returns:
        Kernel, shape (n, n), exactly symmetric.

    Raises:
        TypeError: if squared_dist is not real floating point.
        ValueError: if squared_dist is not square, not symmetric, negative, not finite, has a non-zero diagonal or
            fewer than two points.

    Accuracy:
        Absolute error at most 8 eps times the largest squared distance, eps the unit roundoff of the dtype.

    Source:
        [torgerson1952multidimensional]; negative type, [schoenberg1935remarks].

    >>> centred_kernel(torch.tensor([[0.0, 4.0], [4.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    require_squared_dist("squared_dist", squared_dist)
    table = (squared_dist + squared_dist.mT) / 2
    means = table.mean(0)
    offsets = means - means.mean() / 2
    return -(table - (offsets + offsets[:, None])) / 2


def gaussian_kernel(squared_dist: Tensor, gamma: float | None = None) -> Tensor:
    r"""Gaussian kernel of any distance.

    .. math:: k(a, b) = e^{-\gamma \, d^2(a, b)}

    Positive semidefinite for every :math:`\gamma > 0` exactly if the squared distances are of negative type. Squared
    distances in the kernel's own Hilbert space are 2 - 2 k.

    Args:
        squared_dist: squared distances, shape (m, n).
        gamma: positive; if left out, one over the median of the positive squared distances.

    Returns:
        Kernel, shape (m, n).

    Raises:
        TypeError: if squared_dist is not real floating point, or gamma no real number.
        ValueError: if squared_dist is negative, not finite or empty, or gamma is not positive and finite; or if it is
            left out where all distances are zero.

    Source:
        [schoenberg1938metric], theorem 1; on manifolds [jayasumana2015kernel].

    >>> gaussian_kernel(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), gamma=1.0)
    tensor([[1.0000, 0.3679],
            [0.3679, 1.0000]])
    """
    require_distances("squared_dist", squared_dist)
    if gamma is None:
        positive = squared_dist.detach()[squared_dist.detach() > 0]
        if positive.numel() == 0:
            raise ValueError("gamma must be given where no squared distance is positive: any positive number will do")
        gamma = 1 / positive.median().item()
    if not isinstance(gamma, Real):
        raise TypeError(f"gamma must be a real number; got {gamma!r}: leave it out for one over the median")
    if not 0 < gamma < math.inf:
        raise ValueError(f"gamma must be positive and finite; got {gamma}: it is one over a squared distance")
    return (-gamma * squared_dist.clamp_min(0)).exp()


def definiteness(kernel: Tensor) -> Definiteness:
    """Audit whether a kernel is positive semidefinite, and by how much it is not.

    Args:
        kernel: symmetric matrix, shape (n, n), n at least 2.

    Returns:
        Spectrum, smallest eigenvalue, negative mass and the verdict.

    Raises:
        TypeError: if kernel is not real floating point.
        ValueError: if kernel is not square, not symmetric, not finite or of fewer than two points.

    >>> definiteness(torch.tensor([[1.0, 2.0], [2.0, 1.0]])).negative_mass
    0.3333333333333333
    """
    require_symmetric_table("kernel", kernel)
    values = eigvalsh(kernel.detach().double()).flip(-1)
    rounding = 20 * len(kernel) * torch.finfo(kernel.dtype).eps / 2
    return Definiteness(
        values.to(kernel.dtype),
        values[-1].item(),
        negative_mass(values),
        bool(values[-1] >= -rounding * values.abs().amax()),
    )


def negative_mass(eigenvalues: Tensor) -> float:
    """Sum of the negative eigenvalues' moduli over the sum of the positive ones; 0 if there are none of either."""
    negative, positive = (-eigenvalues).clamp_min(0).sum().item(), eigenvalues.clamp_min(0).sum().item()
    if negative == 0:
        return 0.0
    return negative / positive if positive > 0 else math.inf

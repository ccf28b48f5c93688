"""Pairs of multivariate Gaussians, float64, for the tests of their Fisher-Rao geometry."""

import math

import torch
from strategies import gaussian, generator
from torch import Tensor

from geolatent.manifolds import Gaussian


def covariance(seed: int, n: int, condition: float = 1e2) -> Tensor:
    """Random covariance with eigenvalues between condition^(-1/2) and condition^(1/2)."""
    basis = torch.linalg.qr(gaussian(seed, n, n)).Q
    exponents = torch.rand(n, generator=generator(seed + 1), dtype=torch.float64) - 0.5
    return symmetric(basis * condition**exponents @ basis.mT)


def symmetric(matrix: Tensor) -> Tensor:
    return (matrix + matrix.mT) / 2


def random_pair(seed: int, n: int, *, condition: float = 1e2, mahalanobis: float = 2.0) -> tuple[Gaussian, Gaussian]:
    """Pair in general position, the means at the given Mahalanobis distance in the first Gaussian."""
    first, second = covariance(seed, n, condition), covariance(seed + 10_000, n, condition)
    direction = gaussian(seed + 20_000, n)
    loc = gaussian(seed + 30_000, n)
    step = torch.linalg.cholesky(first) @ direction * (mahalanobis / direction.norm())
    return Gaussian(loc, first), Gaussian(loc + step, second)


def near_pair(seed: int, n: int, size: float, *, condition: float = 1e2) -> tuple[Gaussian, Gaussian]:
    """Pair at a distance of about ``size``, in a general direction."""
    point, _ = random_pair(seed, n, condition=condition)
    factor = torch.linalg.cholesky(point.covariance_matrix)
    loc_step, covariance_step = gaussian(seed + 1, n), symmetric(gaussian(seed + 2, n, n))
    length = (loc_step.square().sum() + covariance_step.square().sum() / 2).sqrt()
    moved = factor @ torch.linalg.matrix_exp(size / length * covariance_step) @ factor.mT
    return point, Gaussian(point.loc + size / length * factor @ loc_step, symmetric(moved))


def rotation(angle: float) -> Tensor:
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64)


def two_geodesics() -> tuple[Gaussian, Gaussian]:
    """Pair with geodesics of lengths 14.274270960838 and 14.350019234941."""
    turned = rotation(0.05)
    second = turned @ torch.diag(torch.tensor([16.0, 1e-4], dtype=torch.float64)) @ turned.mT
    return standard(2), Gaussian(torch.tensor([100.0, 0.0], dtype=torch.float64), symmetric(second))


def standard(n: int) -> Gaussian:
    return Gaussian(torch.zeros(n, dtype=torch.float64), torch.eye(n, dtype=torch.float64))


def stacked(pairs: list[tuple[Gaussian, Gaussian]]) -> tuple[Gaussian, Gaussian]:
    """Pairs as two batches."""
    first, second = zip(*pairs, strict=True)
    return (
        Gaussian(torch.stack([p.loc for p in first]), torch.stack([p.covariance_matrix for p in first])),
        Gaussian(torch.stack([p.loc for p in second]), torch.stack([p.covariance_matrix for p in second])),
    )

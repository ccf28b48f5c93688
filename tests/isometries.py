"""Random isometries of the manifolds, each given a seed and an example of a point."""

from collections.abc import Callable
from typing import Any

import torch
from strategies import gaussian
from torch import Tensor

from geolatent.manifolds import DiagonalGaussian, Gaussian

Isometry = Callable[[Any], Any]


def symmetric(matrix: Tensor) -> Tensor:
    return (matrix + matrix.mT) / 2


def coordinatewise_affine(seed: int, point: DiagonalGaussian) -> Isometry:
    """x_i -> a_i x_i + b_i, a_i of either sign."""
    a, b = gaussian(seed, 2, point.loc.shape[-1])
    return lambda p: DiagonalGaussian(a * p.loc + b, a.abs() * p.scale)


def affine(seed: int, point: Gaussian) -> Isometry:
    """x -> A x + b."""
    n = point.loc.shape[-1]
    a = gaussian(seed, n, n) + 2 * torch.linalg.qr(gaussian(seed + 1, n, n)).Q
    b = gaussian(seed + 2, n)
    return lambda p: Gaussian(p.loc @ a.mT + b, symmetric(a @ p.covariance_matrix @ a.mT))


def congruence(seed: int, point: Tensor) -> Isometry:
    """S -> A S A^T."""
    p = point.shape[-1]
    a = gaussian(seed, p, p) + 2 * torch.linalg.qr(gaussian(seed + 1, p, p)).Q
    return lambda s: symmetric(a @ s @ a.mT)


def rotation(seed: int, point: Tensor) -> Isometry:
    """S -> O S O^T."""
    p = point.shape[-1]
    o = torch.linalg.qr(gaussian(seed, p, p)).Q
    return lambda s: symmetric(o @ s @ o.mT)


def rotation_and_scaling(seed: int, point: Tensor) -> Isometry:
    """S -> c^2 O S O^T."""
    turned, c = rotation(seed, point), gaussian(seed + 1, 1).item()
    return lambda s: c**2 * turned(s)


def cholesky_translation(seed: int, point: Tensor) -> Isometry:
    """L -> L with other signs below the diagonal, plus X below it, times d on it."""
    p = point.shape[-1]
    x, signs, d = gaussian(seed, p, p).tril(-1), gaussian(seed + 1, p).sign(), gaussian(seed + 2, p).exp()

    def move(s: Tensor) -> Tensor:
        factor = torch.linalg.cholesky(s) * signs[:, None] * signs
        factor = factor.tril(-1) + x + torch.diag_embed(factor.diagonal(dim1=-1, dim2=-2) * d)
        return symmetric(factor @ factor.mT)

    return move


def turned_bases(seed: int, point: Tensor) -> Isometry:
    """A -> O A Q: the subspace is turned by O; Q changes nothing but its basis."""
    o, q = (torch.linalg.qr(gaussian(seed + i, n, n)).Q for i, n in enumerate(point.shape[-2:]))
    return lambda a: o @ a @ q


def isometry_in_each(*functions: Callable[[int, Any], Isometry]) -> Callable[[int, Any], Isometry]:
    def combined(seed: int, point: Any) -> Isometry:
        moves = [f(seed + 10 * i, part) for i, (f, part) in enumerate(zip(functions, point, strict=True))]
        return lambda p: tuple(move(part) for move, part in zip(moves, p, strict=True))

    return combined

"""The manifolds that run through the axioms, each with its isometries; and what the axioms compare points by."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from strategies import gaussian, generator
from torch import Tensor

from geolatent.manifolds import (
    DiagonalGaussian,
    DiagonalGaussians,
    Gaussian,
    Manifold,
    MultivariateGaussians,
    UnivariateGaussians,
)
from geolatent.manifolds.components import components, map_components

Isometry = Callable[[Any], Any]


def random_tangent(seed: int, point: Any) -> Any:
    """Entries are independent normals: right where every tuple of tensors shaped like a point is a tangent vector."""
    seeds = iter(range(seed, seed + len(components(point))))
    return map_components(lambda tensor: gaussian(next(seeds), *tensor.shape, dtype=tensor.dtype), point)


def coordinatewise_affine(seed: int, point: DiagonalGaussian) -> Isometry:
    """x_i -> a_i x_i + b_i, a_i of either sign."""
    a, b = gaussian(seed, 2, point.loc.shape[-1])
    return lambda p: DiagonalGaussian(a * p.loc + b, a.abs() * p.scale)


def affine(seed: int, point: Gaussian) -> Isometry:
    """x -> A x + b."""
    n = point.loc.shape[-1]
    a = gaussian(seed, n, n) + 2 * torch.linalg.qr(gaussian(seed + 1, n, n)).Q
    b = gaussian(seed + 2, n)
    return lambda p: Gaussian(p.loc @ a.mT + b, _symmetric(a @ p.covariance_matrix @ a.mT))


def random_gaussian_tangent(seed: int, point: Gaussian) -> Gaussian:
    vector = random_tangent(seed, point)
    return Gaussian(vector.loc, _symmetric(vector.covariance_matrix))


def _symmetric(matrix: Tensor) -> Tensor:
    return (matrix + matrix.mT) / 2


@dataclass(frozen=True)
class Case:
    """One manifold. ``tolerance`` bounds relative errors of distances, ``closing`` those of exp(log)."""

    manifold: Manifold[Any]
    isometry: Callable[[int, Any], Isometry]  # a random one, given a seed and an example of a point
    tangent: Callable[[int, Any], Any] = random_tangent  # a random one at the point
    tolerance: float = 1e-13
    closing: float = 1e-10

    def points(self, seed: int, *batch: int, dtype: torch.dtype = torch.float64) -> Any:
        return self.manifold.random_point(batch, generator(seed), dtype=dtype)


CASES = [
    Case(UnivariateGaussians(), coordinatewise_affine),
    Case(DiagonalGaussians(1), coordinatewise_affine),
    Case(DiagonalGaussians(4), coordinatewise_affine),
    Case(MultivariateGaussians(1), affine, random_gaussian_tangent),
    Case(MultivariateGaussians(3), affine, random_gaussian_tangent),
    Case(MultivariateGaussians(5), affine, random_gaussian_tangent),
]
every_manifold = pytest.mark.parametrize("case", CASES, ids=lambda case: repr(case.manifold))


def combine(function: Callable[..., Tensor], *points: Any) -> Any:
    """Points or vectors combined component by component."""
    return map_components(function, *points)


def assert_close(actual: Tensor, expected: Tensor, tolerance: float) -> None:
    """|actual - expected| <= tolerance (1 + |expected|)."""
    error = (actual - expected).abs() / (1 + expected.abs())
    assert (error <= tolerance).all(), error.max()


def assert_same_vectors(manifold: Manifold[Any], actual: Any, expected: Any, base_point: Any, tolerance: float) -> None:
    """Vectors agree in the norm of the metric."""
    error = manifold.norm(combine(torch.sub, actual, expected), base_point)
    assert (error <= tolerance * (1 + manifold.norm(expected, base_point))).all(), error.max()


def sectional_curvature(manifold: Manifold[Any], base_point: Any, u: Any, v: Any, size: float = 1e-2) -> Tensor:
    """Curvature of the plane of u and v from the sides of two small triangles, whose odd errors cancel."""
    area, flat = size**4 * _gram(manifold, base_point, u, v), 0.0
    for sign in (1, -1):
        corners = [manifold.exp(combine(lambda x, s=sign: s * size * x, w), base_point) for w in (u, v)]
        third = manifold.squared_dist(*corners)
        difference = combine(torch.sub, u, v)
        flat = flat + (third - size**2 * manifold.inner_product(difference, difference, base_point)) / 2
    return -3 * flat / area


def _gram(manifold: Manifold[Any], base_point: Any, u: Any, v: Any) -> Tensor:
    inner = manifold.inner_product
    return inner(u, u, base_point) * inner(v, v, base_point) - inner(u, v, base_point).square()

"""The manifolds that run through the axioms, each with its isometries; and what the axioms compare points by."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from isometries import (
    Isometry,
    affine,
    cholesky_translation,
    congruence,
    coordinatewise_affine,
    isometry_in_each,
    rotation,
    rotation_and_scaling,
    symmetric,
    turned_bases,
)
from strategies import gaussian, generator
from torch import Tensor

from geolatent.manifolds import (
    AffineInvariantSPD,
    BuresWassersteinSPD,
    DiagonalGaussians,
    FixedRankSPSD,
    Gaussian,
    Grassmannian,
    LogCholeskySPD,
    LogEuclideanSPD,
    Manifold,
    MultivariateGaussians,
    Product,
    UnivariateGaussians,
)
from geolatent.manifolds.components import components, map_components


def random_tangent(seed: int, point: Any) -> Any:
    """Entries are independent normals: right where every tuple of tensors shaped like a point is a tangent vector."""
    seeds = iter(range(seed, seed + len(components(point))))
    return map_components(lambda tensor: gaussian(next(seeds), *tensor.shape, dtype=tensor.dtype), point)


def random_gaussian_tangent(seed: int, point: Gaussian) -> Gaussian:
    vector = random_tangent(seed, point)
    return Gaussian(vector.loc, symmetric(vector.covariance_matrix))


def random_symmetric(seed: int, point: Tensor) -> Tensor:
    return symmetric(random_tangent(seed, point))


def random_horizontal(seed: int, point: Tensor) -> Tensor:
    """H with A^T H = 0."""
    vector = random_tangent(seed, point)
    return vector - point @ (point.mT @ vector)


def random_of_rank(seed: int, point: Tensor) -> Tensor:
    """Symmetric, and zero between the null spaces: along it the rank stays the same."""
    values, vectors = torch.linalg.eigh(point)
    null = vectors * (values < 1e-9 * values[..., -1:]).unsqueeze(-2)
    beside, vector = null @ null.mT, random_symmetric(seed, point)
    return vector - beside @ vector @ beside


def in_each(*functions: Callable[[int, Any], Any]) -> Callable[[int, Any], Any]:
    """Tangent vectors of a product from those of its factors."""
    return lambda seed, point: tuple(
        f(seed + 10 * i, part) for i, (f, part) in enumerate(zip(functions, point, strict=True))
    )


def orthonormalised(point: Any) -> Any:
    return torch.linalg.qr(point).Q


@dataclass(frozen=True)
class Case:
    """One manifold. ``tolerance`` bounds relative errors of distances, ``closing`` those of exp(log)."""

    manifold: Manifold[Any]
    isometry: Callable[[int, Any], Isometry]  # a random one, given a seed and an example of a point
    tangent: Callable[[int, Any], Any] = random_tangent  # a random one at the point
    tolerance: float = 1e-13
    closing: float = 1e-10
    reach: float = 2.0  # length up to which geodesics are shortest, from every random point in every direction
    times: tuple[float, float] = (-0.5, 1.5)  # where geodesics between random points are shortest
    geodesic_length: bool = True  # whether d is the length of a shortest curve: triangles, gradients
    survives_rounding: bool = True  # whether points rounded to another type still belong
    retract: Callable[[Any], Any] = lambda point: point  # back to the manifold, from point + small vector

    def points(self, seed: int, *batch: int, dtype: torch.dtype = torch.float64) -> Any:
        return self.manifold.random_point(batch, generator(seed), dtype=dtype)


def subspace_case(p: int, k: int) -> Case:
    return Case(
        Grassmannian(p, k),
        turned_bases,
        random_horizontal,
        reach=1.5,
        times=(0.0, 1.0),
        survives_rounding=False,
        retract=orthonormalised,
    )


def spsd_case(manifold: FixedRankSPSD) -> Case:
    whole = manifold.p == manifold.rank
    return Case(
        manifold,
        congruence if whole else rotation_and_scaling,
        random_of_rank,
        tolerance=1e-11,
        closing=1e-9,
        reach=2.0 if whole else 1.5,
        times=(-0.5, 1.5) if whole else (0.0, 1.0),
        geodesic_length=whole,
        survives_rounding=whole,
    )


CASES = [
    Case(UnivariateGaussians(), coordinatewise_affine),
    Case(DiagonalGaussians(1), coordinatewise_affine),
    Case(DiagonalGaussians(4), coordinatewise_affine),
    Case(MultivariateGaussians(1), affine, random_gaussian_tangent),
    Case(MultivariateGaussians(3), affine, random_gaussian_tangent),
    Case(MultivariateGaussians(5), affine, random_gaussian_tangent),
    Case(AffineInvariantSPD(1), congruence, random_symmetric),
    Case(AffineInvariantSPD(4), congruence, random_symmetric, tolerance=1e-12, closing=1e-9),
    Case(LogEuclideanSPD(3), rotation_and_scaling, random_symmetric, tolerance=1e-12),
    Case(LogCholeskySPD(3), cholesky_translation, random_symmetric, tolerance=1e-12),
    Case(BuresWassersteinSPD(3), rotation, random_symmetric, tolerance=1e-12, reach=0.05, times=(0.0, 1.0)),
    subspace_case(3, 1),
    subspace_case(5, 2),
    spsd_case(FixedRankSPSD(5, 2)),
    spsd_case(FixedRankSPSD(3, 3, spectrum_weight=0.5)),
    spsd_case(FixedRankSPSD(4, 2, spectrum_weight=2.0, cross_rank="truncate")),
    spsd_case(FixedRankSPSD(4, 3, cross_rank="schubert")),
    Case(
        Product(AffineInvariantSPD(2), Grassmannian(4, 2), UnivariateGaussians(), weights=(2.0, 1.0, 0.5)),
        isometry_in_each(congruence, turned_bases, coordinatewise_affine),
        in_each(random_symmetric, random_horizontal, random_tangent),
        reach=1.5,
        times=(0.0, 1.0),
        survives_rounding=False,
        retract=lambda point: (point[0], orthonormalised(point[1]), point[2]),
    ),
    Case(
        Product(FixedRankSPSD(3, 1), FixedRankSPSD(4, 2)),
        isometry_in_each(rotation_and_scaling, rotation_and_scaling),
        in_each(random_of_rank, random_of_rank),
        tolerance=1e-11,
        closing=1e-9,
        reach=1.5,
        times=(0.0, 1.0),
        geodesic_length=False,
        survives_rounding=False,
    ),
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

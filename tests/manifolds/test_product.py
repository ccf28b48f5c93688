"""Products: sums over factors, weights, structure of points; bad input."""

import pytest
import torch
from manifold_cases import assert_close
from strategies import generator

from geolatent.manifolds import (
    AffineInvariantSPD,
    DiagonalGaussian,
    FixedRankSPSD,
    Grassmannian,
    LogEuclideanSPD,
    MultivariateGaussians,
    Product,
    UnivariateGaussians,
)

FACTORS = AffineInvariantSPD(2), Grassmannian(4, 2), UnivariateGaussians()
WEIGHTS = (2.0, 1.0, 0.5)
MANIFOLD = Product(*FACTORS, weights=WEIGHTS)


def test_squares_add_up_with_their_weights() -> None:
    a, b = (MANIFOLD.random_point((7,), generator(seed)) for seed in range(2))
    squares = [f.squared_dist(x, y) for f, x, y in zip(FACTORS, a, b, strict=True)]
    assert_close(MANIFOLD.squared_dist(a, b), sum(w * s for w, s in zip(WEIGHTS, squares, strict=True)), 1e-14)
    tables = [f.pairwise_dist(x, y).square() for f, x, y in zip(FACTORS, a, b, strict=True)]
    assert_close(MANIFOLD.pairwise_dist(a, b), sum(w * t for w, t in zip(WEIGHTS, tables, strict=True)).sqrt(), 1e-13)
    velocity = MANIFOLD.log(b, a)
    products = [f.inner_product(v, v, x) for f, v, x in zip(FACTORS, velocity, a, strict=True)]
    expected = sum(w * s for w, s in zip(WEIGHTS, products, strict=True))
    assert_close(MANIFOLD.inner_product(velocity, velocity, a), expected, 1e-14)
    for factor, part, x, y in zip(FACTORS, velocity, a, b, strict=True):
        theirs = factor.log(y, x)
        for ours, other in zip(*((v,) if isinstance(v, torch.Tensor) else v for v in (part, theirs)), strict=True):
            assert torch.equal(ours, other)


def test_points_keep_their_structure() -> None:
    manifold = Product(MANIFOLD, MultivariateGaussians(2))
    a, b = (manifold.random_point((3,), generator(seed)) for seed in range(2))
    middle = manifold.geodesic(a, b)(torch.tensor([0.2, 0.4], dtype=torch.float64))
    assert isinstance(middle[0], tuple)
    assert isinstance(middle[0][2], DiagonalGaussian)
    assert middle[1].covariance_matrix.shape == (2, 3, 2, 2)
    assert manifold.pairwise_dist(a).shape == (3, 3)
    assert manifold.belongs(a).tolist() == [True] * 3


def test_batch_shapes_of_the_entries_broadcast() -> None:
    manifold = Product(LogEuclideanSPD(2), LogEuclideanSPD(3))
    point = torch.eye(2).expand(5, 2, 2), torch.eye(3)
    assert manifold.dist(point, point).shape == (5,)
    assert manifold.pairwise_dist(point).shape == (5, 5)


def test_latent_tensors_of_the_study_fit() -> None:
    manifold = Product(FixedRankSPSD(4, 4), FixedRankSPSD(4, 4), FixedRankSPSD(9, 5))
    points = manifold.random_point((6,), generator(0))
    own = manifold.pairwise_dist(points)
    one, other = (tuple(x.unsqueeze(i) for x in points) for i in (1, 0))
    assert_close(own, manifold.dist(one, other), 1e-11)


def test_bad_input_is_named() -> None:
    good = MANIFOLD.random_point((4,), generator(0))
    bad = torch.eye(2, dtype=torch.float64).repeat(4, 1, 1)
    bad[2] *= -1
    with pytest.raises(ValueError, match=r"point_a\[0\] must be positive definite; matrix 2 of 4 .* -1: add"):
        MANIFOLD.dist((bad, *good[1:]), good)
    assert MANIFOLD.belongs((bad, *good[1:])).tolist() == [True, True, False, True]
    with pytest.raises(TypeError, match=r"point_b must be a tuple of 3 entries, one a factor; got one of 2: put"):
        MANIFOLD.dist(good, good[:2])
    with pytest.raises(TypeError, match=r"point_b must be a tuple of 3 entries, one a factor; got list"):
        MANIFOLD.dist(good, list(good))
    with pytest.raises(ValueError, match=r"point_b\[0\] on cpu, point_b\[1\] on meta"):
        MANIFOLD.dist(good, (good[0], good[1].to("meta"), good[2]))
    with pytest.raises(ValueError, match=r"points must have components of one batch shape; got \(4,\), \(3,\), \(4,\)"):
        MANIFOLD.pairwise_dist((good[0], good[1][:3], good[2]))
    with pytest.raises(TypeError, match="factors must be manifolds; got"):
        Product([LogEuclideanSPD(2)])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="factors must be manifolds; got"):
        Product()
    with pytest.raises(ValueError, match="weights must be as many as factors, 1; got 2"):
        Product(LogEuclideanSPD(2), weights=[1.0, 2.0])
    with pytest.raises(TypeError, match=r"weights must be a sequence of numbers, one a factor; got 2\.0"):
        Product(LogEuclideanSPD(2), weights=2.0)  # type: ignore[arg-type]
    for weight in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="weights must be positive and finite"):
            Product(LogEuclideanSPD(2), weights=[weight])
    assert repr(Product(LogEuclideanSPD(2))) == "Product(LogEuclideanSPD(2))"
    assert repr(Product(LogEuclideanSPD(2), weights=[2])) == "Product(LogEuclideanSPD(2), weights=(2.0,))"

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import gaussian, generator, seeds
from torch import Tensor
from torch.distributions import Normal

from geolatent.manifolds import (
    ConvergenceWarning,
    DiagonalGaussian,
    DiagonalGaussians,
    Manifold,
    UnivariateGaussians,
)
from geolatent.manifolds.components import map_components
from geolatent.statistics import FrechetMean, frechet_mean

MANIFOLDS = [UnivariateGaussians(), DiagonalGaussians(3)]
every_manifold = pytest.mark.parametrize("manifold", MANIFOLDS, ids=repr)
few = settings(max_examples=20)
EPS = torch.finfo(torch.float64).eps


def float64(values: list[list[float]]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def cloud(manifold: Any, seed: int, *shape: int, spread: float = 1.0) -> DiagonalGaussian:
    """Random points at root mean square distance ``spread`` from the standard Gaussian."""
    n = manifold.n if isinstance(manifold, DiagonalGaussians) else 1
    base = DiagonalGaussian(torch.zeros(n, dtype=torch.float64), torch.ones(n, dtype=torch.float64))
    loc, scale = spread / math.sqrt(2 * n) * gaussian(seed, 2, *shape, n)
    return manifold.exp(DiagonalGaussian(loc, scale / math.sqrt(2)), base)


def slope(manifold: Manifold, points: Any, mean: FrechetMean, weights: Tensor) -> Tensor:
    """Length of the gradient of half the weighted variance, by autograd, in the metric."""
    at = map_components(lambda x: x.clone().requires_grad_(), mean.point)
    value = (weights * manifold.squared_dist(points, at)).sum() / 2
    d_loc, d_scale = torch.autograd.grad(value, at)
    return ((at.scale * d_loc).square() + (at.scale * d_scale).square() / 2).sum(-1).sqrt()


@every_manifold
@given(seed=seeds)
@few
def test_the_mean_of_two_points_is_the_midpoint(manifold: Manifold, seed: int) -> None:
    points = cloud(manifold, seed, 2)
    middle = manifold.geodesic(*(map_components(lambda x, i=i: x[i], points) for i in range(2)))(0.5)
    assert manifold.dist(frechet_mean(manifold, points).point, middle) <= 1e-9
    third = manifold.geodesic(*(map_components(lambda x, i=i: x[i], points) for i in range(2)))(1 / 3)
    weighted = frechet_mean(manifold, points, torch.tensor([2.0, 1.0]))
    assert manifold.dist(weighted.point, third) <= 1e-9


@every_manifold
@pytest.mark.parametrize("spread", [1e-8, 1e-3, 0.3, 1.0, 3.0, 10.0])
def test_converges_at_any_spread_to_where_the_gradient_vanishes(manifold: Manifold, spread: float) -> None:
    points, weights = cloud(manifold, 5, 40, spread=spread), torch.rand(40, generator=generator(1)).double()
    mean = frechet_mean(manifold, points, weights)
    assert mean.converged
    assert mean.iterations <= 30
    assert mean.residual <= max(1e-10 * mean.variance.sqrt(), 64 * EPS)
    assert slope(manifold, points, mean, weights / weights.sum()) <= max(1e-9 * mean.variance.sqrt(), 64 * EPS)
    expected = (weights / weights.sum() * manifold.squared_dist(points, mean.point)).sum()
    torch.testing.assert_close(mean.variance, expected)


def test_converges_where_the_unit_step_does_not() -> None:
    manifold = UnivariateGaussians()
    points = DiagonalGaussian(float64([[0.0]] * 2), float64([[math.exp(-4)], [math.exp(4)]]))
    start = DiagonalGaussian(float64([[0.1]])[0], float64([[1.0]])[0])
    point = start
    for _ in range(200):
        pull = map_components(lambda x: x.mean(0), manifold.log(points, point))
        point = manifold.exp(pull, point)
    assert manifold.norm(pull, point) > 0.1
    mean = frechet_mean(manifold, points, initial=start)
    torch.testing.assert_close(
        mean.point, DiagonalGaussian(float64([[0.0]])[0], float64([[1.0]])[0]), rtol=0, atol=1e-9
    )


@given(st.floats(0.1, 50), st.floats(0.1, 50))
@few
def test_equal_means_give_the_geometric_mean_of_the_scales(a: float, b: float) -> None:
    points = DiagonalGaussian(float64([[4.0]] * 3), float64([[a], [b], [b]]))
    mean = frechet_mean(UnivariateGaussians(), points).point
    torch.testing.assert_close(mean.scale.item(), (a * b * b) ** (1 / 3), rtol=1e-9, atol=0)
    torch.testing.assert_close(mean.loc.item(), 4.0, rtol=1e-9, atol=0)


@given(st.floats(0.1, 50), st.floats(0.1, 5))
@few
def test_equal_scales_give_the_top_of_the_half_circle(shift: float, scale: float) -> None:
    points = DiagonalGaussian(float64([[-shift], [shift]]), float64([[scale]] * 2))
    mean = frechet_mean(UnivariateGaussians(), points).point
    torch.testing.assert_close(mean.scale.item(), math.hypot(shift / math.sqrt(2), scale), rtol=1e-9, atol=0)
    assert abs(mean.loc.item()) <= 1e-9 * mean.scale.item()


@given(seeds, st.floats(-5, 5), st.floats(0.1, 10))
@few
def test_equivariance_under_isometries(seed: int, shift: float, factor: float) -> None:
    manifold = DiagonalGaussians(3)
    points = cloud(manifold, seed, 12, spread=2.0)

    def affine(point: DiagonalGaussian) -> DiagonalGaussian:
        return DiagonalGaussian(shift - factor * point.loc, factor * point.scale)

    def inversion(point: DiagonalGaussian) -> DiagonalGaussian:
        square = point.loc**2 / 2 + point.scale**2
        return DiagonalGaussian(-point.loc / square, point.scale / square)

    mean = frechet_mean(manifold, points).point
    for isometry in (affine, inversion):
        assert manifold.dist(frechet_mean(manifold, isometry(points)).point, isometry(mean)) <= 2e-9


@every_manifold
def test_weights_count_points(manifold: Manifold) -> None:
    points = cloud(manifold, 3, 4)
    repeated = map_components(lambda x: x[[0, 1, 1, 3, 3, 3]], points)
    expected = frechet_mean(manifold, repeated)
    for weights in (torch.tensor([1.0, 2.0, 0.0, 3.0]), torch.tensor([10.0, 20.0, 0.0, 30.0]).double()):
        mean = frechet_mean(manifold, points, weights)
        assert manifold.dist(mean.point, expected.point) <= 1e-9
        torch.testing.assert_close(mean.variance, expected.variance)


@every_manifold
def test_a_batch_of_means_is_each_mean_alone(manifold: Manifold) -> None:
    points = cloud(manifold, 7, 10, 2, 3, spread=3.0)
    weights = torch.rand(10, 2, 3, generator=generator(2)).double()
    means = frechet_mean(manifold, points, weights)
    assert means.point.loc.shape[:2] == means.residual.shape == means.iterations.shape == (2, 3)
    for i in range(2):
        for j in range(3):
            alone = frechet_mean(manifold, map_components(lambda x, i=i, j=j: x[:, i, j], points), weights[:, i, j])
            assert manifold.dist(alone.point, map_components(lambda x, i=i, j=j: x[i, j], means.point)) <= 1e-8
            assert alone.iterations == means.iterations[i, j]
    shared = frechet_mean(manifold, points, torch.ones(10))
    torch.testing.assert_close(shared.variance, frechet_mean(manifold, points).variance)


def test_a_mean_that_fails_does_not_disturb_the_others() -> None:
    manifold = UnivariateGaussians()
    near, far = cloud(manifold, 1, 6, 1, spread=1e-3), cloud(manifold, 1, 6, 1, spread=8.0)
    points = map_components(lambda a, b: torch.cat([a, b, a], 1), near, far)
    with pytest.warns(ConvergenceWarning, match=r"1 of 3 means, batch index 1, did not reach tol = 1e-10 in 4 iter"):
        means = frechet_mean(manifold, points, max_iter=4)
    assert means.converged.tolist() == [True, False, True]
    assert means.residual[1] > 1e-6
    alone = frechet_mean(manifold, near)
    torch.testing.assert_close(means.point.loc[[0, 2]], alone.point.loc.expand(2, 1), rtol=1e-9, atol=0)
    with pytest.warns(ConvergenceWarning, match="the mean did not reach"):
        frechet_mean(manifold, map_components(lambda x: x[:, 0], far), max_iter=4)


@every_manifold
def test_one_point_and_repeated_points_are_their_mean(manifold: Manifold) -> None:
    point = cloud(manifold, 4, 1)
    for points in (point, map_components(lambda x: x.expand(5, -1), point)):
        mean = frechet_mean(manifold, points)
        assert torch.equal(mean.point.loc, point.loc[0])
        assert mean.converged
        assert mean.variance == 0
        assert mean.residual == 0
        assert mean.iterations == 0


def test_the_start_is_the_heaviest_point() -> None:
    manifold, points = MANIFOLDS[1], cloud(MANIFOLDS[1], 6, 5)
    mean = frechet_mean(manifold, points, torch.tensor([0.0, 0.0, 2.0, 0.0, 0.0]))
    assert torch.equal(mean.point.loc, points.loc[2])
    assert mean.iterations == 0


@pytest.mark.filterwarnings("ignore::geolatent.manifolds.ConvergenceWarning")
def test_the_variance_never_increases() -> None:
    manifold, points = UnivariateGaussians(), cloud(UnivariateGaussians(), 11, 12, 100, spread=20.0)
    variances = torch.stack([frechet_mean(manifold, points, max_iter=k).variance for k in range(1, 16)])
    assert (variances.diff(dim=0) <= 1e-11 * variances[1:]).all()


@every_manifold
def test_the_start_does_not_matter(manifold: Manifold) -> None:
    points, start = cloud(manifold, 8, 20, 2), cloud(manifold, 9, spread=5.0)
    first, second = frechet_mean(manifold, points), frechet_mean(manifold, points, initial=start)
    assert (manifold.dist(first.point, second.point) <= 1e-9).all()
    again = frechet_mean(manifold, points, initial=first.point)
    assert (again.iterations == 0).all()


def test_float32_is_computed_in_float64_and_carries_no_gradient() -> None:
    points = DiagonalGaussian(*(x.float().requires_grad_() for x in cloud(MANIFOLDS[1], 2, 9)))
    mean = frechet_mean(MANIFOLDS[1], points)
    exact = frechet_mean(MANIFOLDS[1], DiagonalGaussian(*(x.double() for x in points)))
    assert mean.point.loc.dtype == mean.variance.dtype == torch.float32
    assert not mean.point.loc.requires_grad
    assert torch.equal(mean.point.scale, exact.point.scale.float())


def test_distributions_of_torch() -> None:
    mean = frechet_mean(UnivariateGaussians(), Normal(torch.tensor([-1.0, 1.0]), torch.ones(2)))
    torch.testing.assert_close(mean.point.scale, torch.tensor([math.sqrt(1.5)]))


def test_errors_name_what_came() -> None:
    manifold, points = UnivariateGaussians(), cloud(UnivariateGaussians(), 0, 4, 2)
    empty = map_components(lambda x: x[:0], points)
    with pytest.raises(ValueError, match=r"points must hold at least one point a mean; got batch shape \(0, 2\)"):
        frechet_mean(manifold, empty)
    with pytest.raises(ValueError, match=r"points must have batch shape \(N, \.\.\.\); got one point"):
        frechet_mean(manifold, map_components(lambda x: x[0, 0], points))
    with pytest.raises(ValueError, match=r"weights must have shape \(4,\) or \(4, 2\); got \(2,\)"):
        frechet_mean(manifold, points, torch.ones(2))
    for value in (-1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match=rf"weights must be finite and not negative; weight \(1,\) is {value}"):
            frechet_mean(manifold, points, torch.tensor([1.0, value, 1.0, 1.0]))
    weights = torch.ones(4, 2)
    weights[:, 1] = 0
    with pytest.raises(ValueError, match=r"weights must have a positive sum; set \(1,\) sum to 0"):
        frechet_mean(manifold, points, weights)
    with pytest.raises(TypeError, match=r"weights must be real floating point; got torch\.int64"):
        frechet_mean(manifold, points, torch.ones(4).long())
    with pytest.raises(ValueError, match="tol must be positive; got 0"):
        frechet_mean(manifold, points, tol=0)
    with pytest.raises(ValueError, match="max_iter must be a positive integer; got 0"):
        frechet_mean(manifold, points, max_iter=0)
    with pytest.raises(ValueError, match="scale must be positive"):
        frechet_mean(manifold, points._replace(scale=-points.scale))


def test_no_means_at_all() -> None:
    points = DiagonalGaussian(torch.zeros(3, 0, 1), torch.ones(3, 0, 1))
    assert frechet_mean(UnivariateGaussians(), points).point.loc.shape == (0, 1)

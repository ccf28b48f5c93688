"""Axioms and inequalities on random pairs: metric, isometries, bounds, submanifold, exponential and logarithm."""

import math

import pytest
import torch
from gaussian_pairs import covariance, near_pair, random_pair, rotation, stacked, standard, symmetric
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import gaussian, generator, seeds
from torch import Tensor

import geolatent as gl
from geolatent.manifolds import DiagonalGaussian, Gaussian

WARNED_ABOVE = 1e-8  # residual beyond which a ConvergenceWarning comes
sizes = st.integers(1, 5)
means = st.floats(-3, 1).map(lambda exponent: 10.0**exponent)
conditions = st.sampled_from([1.0, 1e2, 1e4])


def affine(point: Gaussian, matrix: Tensor, shift: Tensor) -> Gaussian:
    moved = symmetric(matrix @ point.covariance_matrix @ matrix.mT)
    return Gaussian((matrix @ point.loc[..., None])[..., 0] + shift, moved)


@settings(max_examples=30)
@given(seeds, sizes, conditions, means)
def test_symmetric(seed: int, n: int, condition: float, mean: float) -> None:
    start, end = random_pair(seed, n, condition=condition, mahalanobis=mean)
    manifold = gl.manifolds.MultivariateGaussians(n)
    there, back = manifold.dist(start, end), manifold.dist(end, start)
    assert (there - back).abs() <= 1e-12 * there


@settings(max_examples=30)
@given(seeds, sizes, means)
def test_invariant_under_affine_maps(seed: int, n: int, mean: float) -> None:
    start, end = random_pair(seed, n, mahalanobis=mean)
    manifold = gl.manifolds.MultivariateGaussians(n)
    left, right = (torch.linalg.qr(gaussian(seed + s, n, n)).Q for s in (1, 2))
    stretch = 10 ** (2 * torch.rand(n, generator=generator(seed), dtype=torch.float64) - 1)
    matrix = left * stretch @ right  # of determinant of either sign, condition <= 100
    moved = [affine(point, matrix, gaussian(seed + 3, n)) for point in (start, end)]
    dist = manifold.dist(start, end)
    rounding = 1e-15 * 1e4 * (1 + (start.loc.norm() + end.loc.norm()))  # of the moved entries, through whitening
    assert (manifold.dist(*moved) - dist).abs() <= 1e-12 * dist + rounding


def test_exactly_invariant_under_scaling_by_two() -> None:
    manifold = gl.manifolds.MultivariateGaussians(3)
    start, end = random_pair(1, 3)
    moved = [Gaussian(2**20 * p.loc, 2**40 * p.covariance_matrix) for p in (start, end)]
    assert (manifold.dist(*moved) - manifold.dist(start, end)).abs() <= 1e-14 * manifold.dist(start, end)


@settings(max_examples=30)
@given(seeds, sizes, means)
def test_triangle_inequality(seed: int, n: int, mean: float) -> None:
    manifold = gl.manifolds.MultivariateGaussians(n)
    a, b = random_pair(seed, n, mahalanobis=mean)
    c, _ = random_pair(seed + 1, n)
    ab, bc, ac = manifold.dist(a, b), manifold.dist(b, c), manifold.dist(a, c)
    for one, other, direct in ((ab, bc, ac), (ab, ac, bc), (bc, ac, ab)):
        assert direct <= (one + other) * (1 + 1e-12)


@settings(max_examples=30)
@given(seeds, sizes, conditions, means)
def test_exponential_inverts_the_logarithm(seed: int, n: int, condition: float, mean: float) -> None:
    start, end = random_pair(seed, n, condition=condition, mahalanobis=mean)
    manifold = gl.manifolds.MultivariateGaussians(n)
    log = manifold.log(end, start)
    assert (manifold.norm(log, start) - manifold.dist(start, end)).abs() <= 1e-12 * manifold.dist(start, end)
    reached = manifold.exp(log, start)
    off = Gaussian(reached.loc - end.loc, reached.covariance_matrix - end.covariance_matrix)
    # measured in end's own metric: a component of variance 1e-4 counts as much as one of 1e4
    assert manifold.norm(off, end) <= 1e-10 * (1 + condition**0.5 / 1e2)


@settings(max_examples=30)
@given(seeds, sizes, means)
def test_distance_lies_between_its_bounds(seed: int, n: int, mean: float) -> None:
    for start, end in (random_pair(seed, n, condition=1e4, mahalanobis=mean), near_pair(seed, n, 1e-3 * mean)):
        assert_between_bounds(start, end)


def assert_between_bounds(start: Gaussian, end: Gaussian, rounding: float = 1e-12) -> None:
    manifold = gl.manifolds.MultivariateGaussians(start.loc.shape[-1])
    dist = manifold.dist(start, end)
    for lower, upper in (manifold.dist_bounds(start, end), manifold.dist_bounds(end, start)):
        assert 0 <= lower <= dist * (1 + rounding)
        assert dist * (1 - rounding) <= upper < math.inf


@pytest.mark.parametrize(
    ("mean", "variances"),
    [
        (mean, variances)
        for mean in (1e-8, 1.0, 1e3, 1e5, 1e8)
        for variances in (*((a, a) for a in (1e-8, 1.0, 1e8)), (1e8, 1e-8), (1e-3, 1e6))
    ],
)
def test_bounds_of_extreme_pairs(mean: float, variances: tuple[float, float]) -> None:
    turned = rotation(0.3)
    second = symmetric(turned @ torch.diag(torch.tensor(variances, dtype=torch.float64)) @ turned.mT)
    end = Gaussian(torch.tensor([mean, 0.0], dtype=torch.float64), second)
    assert_between_bounds(standard(2), end, rounding=1e-10)  # of LAPACK, where there is no compiled core


def test_bounds_of_coincident_points() -> None:
    start, _ = random_pair(0, 3)
    lower, upper = gl.manifolds.MultivariateGaussians(3).dist_bounds(start, start)
    assert lower == 0
    assert 0 <= upper <= 1e-12


@settings(max_examples=30)
@given(seeds, st.integers(2, 5), means)
def test_diagonal_gaussians_lie_further_apart_inside_their_submanifold(seed: int, n: int, mean: float) -> None:
    ends = [DiagonalGaussian(mean * gaussian(seed + s, n), gaussian(seed + s + 2, n).exp()) for s in (0, 1)]
    inside = gl.manifolds.DiagonalGaussians(n).dist(*ends)
    full = gl.manifolds.MultivariateGaussians(n).dist(*(Gaussian(x.loc, torch.diag(x.scale.square())) for x in ends))
    assert full <= inside * (1 + 1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_pairwise_distances_are_those_of_the_pairs(n: int) -> None:
    manifold = gl.manifolds.MultivariateGaussians(n)
    points = manifold.random_point((7,), generator(n))
    assert manifold.belongs(points).all()
    table = manifold.pairwise_dist(points)
    assert torch.equal(table, table.mT)
    assert torch.equal(table.diagonal(), torch.zeros(7, dtype=torch.float64))
    rows = Gaussian(points.loc[:, None], points.covariance_matrix[:, None])
    assert torch.allclose(table, manifold.dist(rows, points), rtol=1e-12)


@pytest.mark.parametrize("n", [2, 4])
def test_a_pair_does_not_feel_its_batch(n: int) -> None:
    manifold = gl.manifolds.MultivariateGaussians(n)
    start = Gaussian(gaussian(1, 33, n), torch.stack([covariance(s, n, 1e4) for s in range(33)]))
    end = Gaussian(gaussian(2, 33, n), torch.stack([covariance(s + 100, n, 1e4) for s in range(33)]))
    batch = manifold.dist(start, end)
    for k in (0, 7, 32):
        alone = manifold.dist(Gaussian(*(x[k] for x in start)), Gaussian(*(x[k] for x in end)))
        assert (alone - batch[k]).abs() <= 1e-14 * batch[k]


@pytest.mark.parametrize(
    ("n", "condition", "mean"),
    [(n, condition, mean) for n in (2, 3, 8) for condition in (1e2, 1e4) for mean in (1.0, 1e2, 1e4, 1e6, 1e8)],
)
@pytest.mark.filterwarnings("ignore::geolatent.manifolds.warnings.ConvergenceWarning")
def test_far_batches_are_symmetric_and_within_bounds_unless_warned_of(n: int, condition: float, mean: float) -> None:
    manifold = gl.manifolds.MultivariateGaussians(n)
    start, end = stacked([random_pair(seed, n, condition=condition, mahalanobis=mean) for seed in range(40)])
    there, back = manifold.solve(start, end), manifold.solve(end, start)
    trusted = (there.residual <= WARNED_ABOVE) & (back.residual <= WARNED_ABOVE)
    for found in (there, back):
        assert (found.lower <= found.dist * (1 + 1e-12))[trusted].all()
        assert (found.dist * (1 - 1e-12) <= found.upper)[trusted].all()
    tolerance = 1e-12 if mean <= 1e2 else 1e-9  # beyond a distance of 10 no accuracy is documented
    assert ((there.dist - back.dist).abs() <= tolerance * there.dist)[trusted].all()
    assert trusted.all() or mean > 1e2
    assert (there.iterations <= 60).all()  # of up to three starts

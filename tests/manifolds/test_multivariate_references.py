"""The general distance and logarithm against three methods that share nothing with the library."""

import pytest
import torch
from fisher_rao_connection import integrate
from fisher_rao_mpmath import reference, relative_error, velocity, velocity_error
from fisher_rao_shooting import shoot
from gaussian_pairs import near_pair, random_pair, two_geodesics

import geolatent as gl
from geolatent import _kernels
from geolatent.manifolds import Gaussian

DIST = 1e-12  # relative, condition <= 1e4
LOG = 1e-10  # Fisher norm of the error, relative to the distance
FAR_LOG = 1e-12  # by the compiled solver
# size, seed, condition, Mahalanobis distance of the means
QUICK = [(1, 0, 1e2, 2.0), (2, 0, 1e4, 2.0), (2, 1, 1e2, 10.0), (3, 0, 1e4, 2.0), (3, 1, 1e2, 6.0), (4, 0, 1e4, 1.0)]
SLOW = [
    *((n, seed, 1e4, mean) for n in (1, 2, 3) for seed in range(2, 6) for mean in (0.1, 1.0, 5.0, 20.0)),
    *((n, seed, 1e4, mean) for n in (4, 5) for seed in (2, 3) for mean in (0.3, 2.0, 8.0)),
    (8, 2, 1e4, 2.0),
]


def assert_both_directions(
    pair: tuple[Gaussian, Gaussian], starts: tuple[float, ...] = (0.0,), log: float = LOG
) -> None:
    manifold = gl.manifolds.MultivariateGaussians(pair[0].loc.shape[-1])
    for start, end in (pair, pair[::-1]):
        found = reference(start, end, starts)
        assert relative_error(manifold.dist(start, end), found.dist) <= DIST
        assert velocity_error(found, manifold.log(end, start)) <= log


@pytest.mark.parametrize(("n", "seed", "condition", "mean"), QUICK)
def test_fifty_digit_reference(n: int, seed: int, condition: float, mean: float) -> None:
    assert_both_directions(random_pair(seed, n, condition=condition, mahalanobis=mean))


@pytest.mark.slow
@pytest.mark.parametrize(("n", "seed", "condition", "mean"), SLOW)
def test_fifty_digit_reference_at_length(n: int, seed: int, condition: float, mean: float) -> None:
    assert_both_directions(random_pair(seed, n, condition=condition, mahalanobis=mean))


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("size", [1e-12, 1e-9, 1e-6, 1e-4, 1e-2, 0.05, 0.1, 0.2, 0.5])
def test_near_pairs_keep_their_relative_accuracy(n: int, size: float) -> None:
    assert_both_directions(near_pair(n, n, size))


@pytest.mark.parametrize("size", [1e-12, 1e-6, 1e-2, 0.1])
def test_near_pairs_of_high_condition(size: float) -> None:
    assert_both_directions(near_pair(7, 3, size, condition=1e4))


@pytest.mark.parametrize(("n", "condition", "mean"), [(2, 1e4, 1e5), (3, 1e4, 1e2), (3, 1e4, 1e3), (3, 1e2, 1e5)])
def test_far_means(n: int, condition: float, mean: float) -> None:
    pair = random_pair(n, n, condition=condition, mahalanobis=mean)
    assert_both_directions(pair, starts=(0.0, -1 / 38), log=LOG if _kernels.core is None else FAR_LOG)


def test_the_oracles_know_the_two_geodesics() -> None:
    start, end = two_geodesics()
    assert float(reference(start, end).dist) == pytest.approx(14.350019234941, rel=1e-13)
    assert float(reference(start, end, (-1 / 60,)).dist) == pytest.approx(14.274270960838, rel=1e-13)


@pytest.mark.parametrize("n", [2, 3, *(pytest.param(n, marks=pytest.mark.slow) for n in (4, 5))])
def test_shooting(n: int) -> None:
    manifold = gl.manifolds.MultivariateGaussians(n)
    for seed, mean in ((0, 0.5), (1, 4.0)):
        start, end = random_pair(seed, n, condition=1e2, mahalanobis=mean)
        shot = Gaussian(*shoot(start, end))
        length = manifold.norm(shot, start)
        ours = manifold.log(end, start)
        error = manifold.norm(Gaussian(ours.loc - shot.loc, ours.covariance_matrix - shot.covariance_matrix), start)
        assert error <= LOG * length
        assert (manifold.dist(start, end) - length).abs() <= 1e-11 * length


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_oracles_agree_with_each_other(n: int) -> None:
    start, end = random_pair(5, n, condition=10)
    found = reference(start, end)
    assert velocity_error(found, shoot(start, end)) <= 1e-12
    (loc, covariance), _ = integrate(start, velocity(found), velocity(found))
    assert torch.allclose(loc, end.loc, rtol=1e-11, atol=1e-11)
    assert torch.allclose(covariance, end.covariance_matrix, rtol=1e-11, atol=1e-11)

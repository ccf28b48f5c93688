"""Families of pairs whose distance has a closed form, evaluated in 80 digits from the float64 entries."""

from typing import Any

import pytest
import torch
from fisher_rao_mpmath import DIGITS, exact, reference, relative_error
from gaussian_pairs import covariance, near_pair, random_pair, standard, symmetric
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp
from strategies import gaussian, seeds
from torch import Tensor

import geolatent as gl
from geolatent.manifolds import DiagonalGaussian, Gaussian

DIST = 1e-12


def identity(n: int, scale: float = 1.0) -> Tensor:
    return scale * torch.eye(n, dtype=torch.float64)


def assert_dist(start: Gaussian, end: Gaussian, expected: Any, tolerance: float = DIST) -> None:
    manifold = gl.manifolds.MultivariateGaussians(start.loc.shape[-1])
    assert relative_error(manifold.dist(start, end), expected) <= tolerance
    assert relative_error(manifold.dist(end, start), expected) <= tolerance


def univariate(shift: Any, variance_a: Any, variance_b: Any) -> Any:
    """sqrt(2) arccosh(1 + (shift^2 / 2 + (s0 - s1)^2) / (2 s0 s1))."""
    a, b = mp.sqrt(variance_a), mp.sqrt(variance_b)
    return mp.sqrt(2) * mp.acosh(1 + (shift**2 / 2 + (a - b) ** 2) / (2 * a * b))


def whitened_eigenvalues(covariance_a: Tensor, covariance_b: Tensor) -> Any:
    inverse = mp.cholesky(exact(covariance_a)) ** -1
    S = inverse * exact(covariance_b) * inverse.T
    return mp.eigsy((S + S.T) / 2, eigvals_only=True)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("condition", [1e1, 1e4])
def test_same_mean(n: int, condition: float) -> None:
    start, end = random_pair(n, n, condition=condition)
    end = Gaussian(start.loc, end.covariance_matrix)
    with mp.workdps(DIGITS):
        logs = [mp.log(x) for x in whitened_eigenvalues(start.covariance_matrix, end.covariance_matrix)]
        assert_dist(start, end, mp.sqrt(mp.fsum(x**2 for x in logs) / 2))


def equal_covariances(n: int, mean: float) -> tuple[Gaussian, Gaussian, Any]:
    """Pair about a Mahalanobis distance ``mean`` apart, and its distance."""
    start, _ = random_pair(n, n)
    start = Gaussian(torch.zeros_like(start.loc), start.covariance_matrix)  # so that tiny shifts are not rounded
    end = Gaussian(mean * torch.linalg.cholesky(start.covariance_matrix) @ gaussian(n, n), start.covariance_matrix)
    with mp.workdps(DIGITS):
        whitened = mp.cholesky(exact(start.covariance_matrix)) ** -1 * exact(end.loc)
        mahalanobis = mp.sqrt(mp.fsum(x**2 for x in whitened))
        return start, end, 2 * mp.sqrt(2) * mp.asinh(mahalanobis / (2 * mp.sqrt(2)))


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("mean", [1e-12, 1e-6, 1e-3, 0.1, 1.0, 10.0, 1e4, 1e5])
def test_same_covariance(n: int, mean: float) -> None:
    assert_dist(*equal_covariances(n, mean))


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("mean", [1e6, 1e7, 1e8])
def test_same_covariance_of_very_far_means(n: int, mean: float) -> None:
    assert_dist(*equal_covariances(n, mean))


def test_the_mean_shift_that_public_libraries_get_wrong() -> None:
    start = standard(2)
    end = Gaussian(torch.tensor([10.0, 0.0], dtype=torch.float64), identity(2))
    assert_dist(start, end, mp.mpf("5.5873791567162725"), 1e-15)


@pytest.mark.parametrize("n", [1, 2, 3, 8])
@pytest.mark.parametrize(("mean", "variance"), [(0.0, 4.0), (1e-7, 1.0), (0.3, 1.001), (2.0, 9.0), (50.0, 1e-3)])
def test_isotropic(n: int, mean: float, variance: float) -> None:
    direction = gaussian(n, n)
    loc = direction * (mean / direction.norm())
    with mp.workdps(DIGITS):
        shift = mp.sqrt(mp.fsum(x**2 for x in exact(loc)))
        squared = univariate(shift, mp.mpf(1), mp.mpf(variance)) ** 2 + (n - 1) * mp.log(mp.mpf(variance)) ** 2 / 2
        assert_dist(standard(n), Gaussian(loc, identity(n, variance)), mp.sqrt(squared))


@settings(max_examples=20)
@given(seeds, st.floats(-6, 1))
def test_one_dimension_is_the_univariate_manifold(seed: int, exponent: float) -> None:
    start, end = near_pair(seed, 1, 10.0**exponent)
    univariate_pair = [DiagonalGaussian(p.loc, p.covariance_matrix[..., 0].sqrt()) for p in (start, end)]
    ours = gl.manifolds.MultivariateGaussians(1).dist(start, end)
    theirs = gl.manifolds.UnivariateGaussians().dist(*univariate_pair)
    rounding = 1e-15 / theirs  # the square roots round the scales, which a near pair feels
    assert (ours - theirs).abs() <= (DIST + rounding) * theirs
    with mp.workdps(DIGITS):
        (variance_a,), (variance_b,) = (list(exact(p.covariance_matrix)) for p in (start, end))
        assert_dist(start, end, univariate(exact(end.loc)[0] - exact(start.loc)[0], variance_a, variance_b))


@pytest.mark.parametrize("n", [2, 3, 5, 8])
@pytest.mark.parametrize("mean", [1e-6, 0.1, 3.0, 1e3])
def test_mean_along_an_axis_of_the_covariance(n: int, mean: float) -> None:
    variances = torch.logspace(-2, 1.5, n, dtype=torch.float64)
    loc = torch.zeros(n, dtype=torch.float64)
    loc[n // 2] = mean
    with mp.workdps(DIGITS):
        exact_variances = list(exact(variances[:, None]))
        along = exact_variances.pop(n // 2)
        squared = univariate(mp.mpf(mean), mp.mpf(1), along) ** 2
        squared += mp.fsum(mp.log(x) ** 2 for x in exact_variances) / 2
        assert_dist(standard(n), Gaussian(loc, torch.diag(variances)), mp.sqrt(squared))


@pytest.mark.parametrize("seed", range(3))
def test_blocks_of_which_one_has_equal_means_are_a_product(seed: int) -> None:
    # The reflection of the second block is an isometry that fixes both ends, hence the geodesic between them.
    start, end = random_pair(seed, 2)
    first, second = covariance(seed + 1, 3), covariance(seed + 2, 3)
    tail = gaussian(seed + 3, 3)
    joined = [
        Gaussian(torch.cat([p.loc, tail]), torch.block_diag(p.covariance_matrix, block))
        for p, block in ((start, first), (end, second))
    ]
    with mp.workdps(DIGITS):
        logs = [mp.log(x) for x in whitened_eigenvalues(first, second)]
        assert_dist(*joined, mp.sqrt(reference(start, end).dist ** 2 + mp.fsum(x**2 for x in logs) / 2))


@pytest.mark.parametrize("size", [1e-12, 1e-8, 1e-4, 1e-2, 0.3])
def test_small_step_of_the_mean_across_the_step_of_the_covariance(size: float) -> None:
    start = Gaussian(torch.zeros(2, dtype=torch.float64), covariance(1, 2))
    step = torch.tensor([[1.0, 0.0], [0.0, 0.0]], dtype=torch.float64)
    end = Gaussian(torch.tensor([0.0, size], dtype=torch.float64), start.covariance_matrix + size * step)
    assert_dist(start, end, reference(start, end).dist)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 12])
def test_coincident(n: int) -> None:
    manifold = gl.manifolds.MultivariateGaussians(n)
    start, _ = random_pair(n, n, condition=1e4)
    ends = [Gaussian(x.loc.clone().requires_grad_(), x.covariance_matrix.clone().requires_grad_()) for x in [start] * 2]
    dist = manifold.dist(*ends)
    assert dist.item() == 0
    assert manifold.squared_dist(*ends).item() == 0
    for gradient in torch.autograd.grad(dist, [*ends[0], *ends[1]]):
        assert torch.equal(gradient, torch.zeros_like(gradient))
    log = manifold.log(start, start)
    assert torch.equal(log.loc, torch.zeros_like(start.loc))
    assert torch.equal(log.covariance_matrix, torch.zeros_like(start.covariance_matrix))
    at_rest = manifold.exp(log, start)
    assert torch.allclose(at_rest.covariance_matrix, symmetric(start.covariance_matrix), rtol=1e-12, atol=0)

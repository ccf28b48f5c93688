"""What holds between the divergences, and what leaves them unchanged."""

import itertools

import pytest
import torch
from gaussian_pairs import random_pair, stacked, symmetric
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import gaussian, seeds
from torch import Tensor
from torch.distributions import kl_divergence as torch_kl_divergence

import geolatent as gl
from geolatent.divergences import (
    bhattacharyya_distance,
    hellinger_distance,
    jeffreys_divergence,
    kl_divergence,
    renyi_divergence,
    symmetric_renyi_divergence,
    wasserstein_distance,
)
from geolatent.manifolds import DiagonalGaussian, DiagonalGaussians, Gaussian, UnivariateGaussians

few = settings(max_examples=15)
AFFINE_INVARIANT = {
    "kl": kl_divergence,
    "jeffreys": jeffreys_divergence,
    "renyi 0.3": lambda p, q: renyi_divergence(p, q, 0.3),
    "symmetric renyi": lambda p, q: symmetric_renyi_divergence(p, q, 0.8),
    "bhattacharyya": bhattacharyya_distance,
    "hellinger": hellinger_distance,
}
sizes = st.integers(1, 5)


def image(point: Gaussian, matrix: Tensor, shift: Tensor) -> Gaussian:
    return Gaussian(point.loc @ matrix.mT + shift, symmetric(matrix @ point.covariance_matrix @ matrix.mT))


@pytest.mark.parametrize("divergence", AFFINE_INVARIANT.values(), ids=AFFINE_INVARIANT)
@few
@given(seeds, sizes)
def test_affine_invariance(divergence, seed: int, n: int) -> None:
    p, q = random_pair(seed, n)
    matrix, shift = gaussian(seed, n, n) + 3 * torch.eye(n), gaussian(seed + 1, n)
    moved = divergence(image(p, matrix, shift), image(q, matrix, shift))
    tolerance = 1e-11 * torch.linalg.cond(matrix).item() ** 2
    torch.testing.assert_close(moved, divergence(p, q), rtol=tolerance, atol=0)


@few
@given(seeds, sizes)
def test_wasserstein_is_invariant_under_rigid_motions_and_scales_with_the_unit(seed: int, n: int) -> None:
    p, q = random_pair(seed, n)
    rotation, shift = torch.linalg.qr(gaussian(seed, n, n)).Q, gaussian(seed + 1, n)
    moved = wasserstein_distance(image(p, rotation, shift), image(q, rotation, shift))
    torch.testing.assert_close(moved, wasserstein_distance(p, q), rtol=1e-11, atol=0)
    scaled = wasserstein_distance(image(p, 7 * rotation, shift), image(q, 7 * rotation, shift))
    torch.testing.assert_close(scaled, 7 * moved, rtol=1e-11, atol=0)


@few
@given(seeds, sizes)
def test_nonnegative_and_symmetric_where_they_should_be(seed: int, n: int) -> None:
    p, q = random_pair(seed, n)
    for divergence in (*AFFINE_INVARIANT.values(), wasserstein_distance):
        assert divergence(p, q) > 0
    symmetric_ones = (
        jeffreys_divergence,
        bhattacharyya_distance,
        hellinger_distance,
        wasserstein_distance,
        lambda a, b: symmetric_renyi_divergence(a, b, 0.8),
    )
    for divergence in symmetric_ones:
        torch.testing.assert_close(divergence(p, q), divergence(q, p), rtol=1e-11, atol=0)


@few
@given(seeds, sizes)
def test_relations(seed: int, n: int) -> None:
    p, q = random_pair(seed, n)
    close = {"rtol": 1e-12, "atol": 0.0}
    torch.testing.assert_close(jeffreys_divergence(p, q), kl_divergence(p, q) + kl_divergence(q, p), **close)
    torch.testing.assert_close(bhattacharyya_distance(p, q), renyi_divergence(p, q, 0.5) / 2, **close)
    torch.testing.assert_close(hellinger_distance(p, q) ** 2, 1 - torch.exp(-bhattacharyya_distance(p, q)), **close)
    torch.testing.assert_close(symmetric_renyi_divergence(p, q, 1), jeffreys_divergence(p, q) / 2, **close)
    skew = 0.25 / 0.75 * renyi_divergence(q, p, 0.75)
    torch.testing.assert_close(renyi_divergence(p, q, 0.25), skew, **close)
    orders = [renyi_divergence(p, q, alpha) for alpha in (0.1, 0.4, 0.5, 0.9, 1, 1.001)]
    assert all(low < high for low, high in itertools.pairwise(orders))


@few
@given(seeds, sizes)
def test_triangle_inequality_of_the_metrics(seed: int, n: int) -> None:
    (a, b), (c, _) = random_pair(seed, n), random_pair(seed + 77, n)
    for dist in (wasserstein_distance, hellinger_distance):
        assert dist(a, c) <= (dist(a, b) + dist(b, c)) * (1 + 1e-12)


@few
@given(seeds, sizes)
def test_kl_agrees_with_torch(seed: int, n: int) -> None:
    p, q = random_pair(seed, n)
    expected = torch_kl_divergence(p.to_distribution(), q.to_distribution())
    torch.testing.assert_close(kl_divergence(p, q), expected, rtol=1e-10, atol=0)
    diagonal_p, diagonal_q = (DiagonalGaussian(x.loc, x.covariance_matrix.diagonal().sqrt()) for x in (p, q))
    expected = torch_kl_divergence(diagonal_p.to_distribution(), diagonal_q.to_distribution())
    torch.testing.assert_close(kl_divergence(diagonal_p, diagonal_q), expected, rtol=1e-10, atol=0)


@given(seeds)
def test_root_of_jeffreys_bounds_fisher_rao(seed: int) -> None:
    manifold, generator = UnivariateGaussians(), torch.Generator().manual_seed(seed)
    a, b = manifold.random_point((20,), generator), manifold.random_point((20,), generator)
    assert (manifold.dist(a, b) <= jeffreys_divergence(a, b).sqrt() * (1 + 1e-13)).all()


@given(seeds, st.integers(1, 6))
def test_near_pairs_share_the_metric(seed: int, n: int) -> None:
    manifold = DiagonalGaussians(n)
    p = manifold.random_point((), torch.Generator().manual_seed(seed))
    step = 1e-6 * gaussian(seed, 2, n) * p.scale
    q = DiagonalGaussian(p.loc + step[0], p.scale + step[1])
    squared = manifold.squared_dist(p, q)
    scales = {kl_divergence: 2, jeffreys_divergence: 1, bhattacharyya_distance: 8}
    for divergence, factor in scales.items():
        torch.testing.assert_close(factor * divergence(p, q), squared, rtol=1e-4, atol=0)
    torch.testing.assert_close(8 * hellinger_distance(p, q) ** 2, squared, rtol=1e-4, atol=0)
    torch.testing.assert_close(renyi_divergence(p, q, 3) * 2 / 3, squared, rtol=1e-4, atol=0)


def test_derivatives_of_wasserstein_stay_exact_to_the_sixth_order() -> None:
    identity, tilt = torch.eye(2, dtype=torch.float64), torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    at = torch.zeros((), dtype=torch.float64, requires_grad=True)
    # N(0, I) to N(0, 4 I + 4 t tilt), eigenvalues 4 (1 +- t): W^2 = (2 sqrt(1 + t) - 1)^2 + (2 sqrt(1 - t) - 1)^2
    zero = torch.zeros(2, dtype=torch.float64)
    value = wasserstein_distance(Gaussian(zero, identity), Gaussian(zero, 4 * identity + 4 * at * tilt)) ** 2
    exact = (2 * (1 + at).sqrt() - 1) ** 2 + (2 * (1 - at).sqrt() - 1) ** 2
    for _ in range(6):
        (value,), (exact,) = (torch.autograd.grad(x, at, create_graph=True) for x in (value, exact))
        torch.testing.assert_close(value, exact, rtol=1e-9, atol=1e-9)


def test_infinite_renyi_divergences_are_infinite_and_flat() -> None:
    narrow = DiagonalGaussian(torch.zeros(2, 1), torch.tensor([[1.0], [3.0]]))
    wide = DiagonalGaussian(torch.zeros(1), torch.tensor([2.0]))
    scale = narrow.scale.clone().requires_grad_()
    values = gl.divergences.renyi_divergence(narrow._replace(scale=scale), wide, 4.0)
    assert values.isfinite().tolist() == [True, False]
    (gradient,) = torch.autograd.grad(values.sum(), scale)
    assert gradient.isfinite().all()
    assert gradient[1] == 0
    full = stacked([(Gaussian(torch.zeros(2), v * torch.eye(2)),) * 2 for v in (1.0, 9.0)])[0]
    other = Gaussian(torch.zeros(2), 4 * torch.eye(2))
    assert renyi_divergence(full, other, 4.0).isfinite().tolist() == [True, False]
    assert symmetric_renyi_divergence(full, other, 4.0).isinf().all()

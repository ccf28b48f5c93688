"""Two geodesics, curvature, invariants along geodesics, and parallel transport."""

import math

import pytest
import torch
from fisher_rao_connection import integrate
from fisher_rao_scan import Needle, gaussians, general, minima, needles
from gaussian_pairs import near_pair, random_pair, standard, symmetric, two_geodesics
from strategies import gaussian
from torch import Tensor

import geolatent as gl
from geolatent.manifolds import Gaussian

SHORTER, LONGER = 14.274270960838, 14.350019234941
SMALLEST_CONJUGATE_DISTANCE = 11.7496


def test_the_shorter_of_two_geodesics() -> None:
    manifold = gl.manifolds.MultivariateGaussians(2)
    pair = two_geodesics()
    for start, end in (pair, pair[::-1]):
        found = manifold.solve(start, end)
        assert manifold.dist(start, end).item() == pytest.approx(SHORTER, rel=1e-12)
        assert found.dist.item() == pytest.approx(SHORTER, rel=1e-12)
        assert not found.unique
        assert manifold.norm(found.velocity, start).item() == pytest.approx(SHORTER, rel=1e-10)


def test_no_shorter_geodesic_is_found_by_exhaustion() -> None:
    turned = [Needle(100.0, angle / 1000, 16.0, 1e-4) for angle in range(46, 64)]
    pairs = [*turned, *needles(0, 120), *general(0, 60)]
    lengths = [minima(pair) for pair in pairs]
    assert sum(len(length) > 1 for length in lengths) >= 20
    shortest = torch.tensor([float(length[0]) for length in lengths], dtype=torch.float64)
    manifold = gl.manifolds.MultivariateGaussians(2)
    start, end = gaussians(pairs)
    for ends in ((start, end), (end, start)):
        found = manifold.solve(*ends)
        assert ((found.dist / shortest - 1).abs() <= 1e-6).all()
        assert not found.unique[[len(length) > 1 for length in lengths]].any()


def test_unique_below_the_smallest_conjugate_distance() -> None:
    for n in (2, 3, 5):
        manifold = gl.manifolds.MultivariateGaussians(n)
        for seed in range(8):
            found = manifold.solve(*random_pair(seed, n, mahalanobis=2.0**seed))
            assert found.unique == (found.dist < SMALLEST_CONJUGATE_DISTANCE)
            assert found.lower <= found.dist <= found.upper


def frame() -> dict[str, Gaussian]:
    """Orthonormal tangent vectors at N(0, I) in two dimensions."""
    zero_loc, zero = torch.zeros(2, dtype=torch.float64), torch.zeros(2, 2, dtype=torch.float64)
    unit = torch.eye(2, dtype=torch.float64)
    entries = {
        "E11": torch.diag(unit[0]) * math.sqrt(2),
        "E22": torch.diag(unit[1]) * math.sqrt(2),
        "E12": torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64),
    }
    vectors = {"e1": Gaussian(unit[0], zero), "e2": Gaussian(unit[1], zero)}
    return vectors | {name: Gaussian(zero_loc, matrix) for name, matrix in entries.items()}


def sectional_curvature(base: Gaussian, u: Gaussian, v: Gaussian) -> Tensor:
    """From d(exp(e u), exp(e v))^2 = 2 e^2 - K e^4 / 3 + ..., odd terms cancelled, the next even one extrapolated."""
    manifold = gl.manifolds.MultivariateGaussians(base.loc.shape[-1])

    def estimate(size: float) -> Tensor:
        sizes = torch.tensor([size, -size], dtype=torch.float64)
        ends = [
            manifold.exp(Gaussian(sizes[:, None] * w.loc, sizes[:, None, None] * w.covariance_matrix), base)
            for w in (u, v)
        ]
        return (3 * (2 - manifold.squared_dist(*ends) / size**2) / size**2).mean()

    return (4 * estimate(0.05) - estimate(0.1)) / 3


@pytest.mark.parametrize(
    ("u", "v", "curvature"),
    [
        ("e1", "e2", 1 / 4),
        ("e1", "E11", -1 / 2),
        ("e1", "E12", -1 / 4),
        ("E11", "E12", -1 / 2),
        ("e1", "E22", 0.0),
        ("E11", "E22", 0.0),
    ],
)
def test_sectional_curvature_of_small_triangles(u: str, v: str, curvature: float) -> None:
    vectors = frame()
    assert abs(sectional_curvature(standard(2), vectors[u], vectors[v]) - curvature) <= 1e-4


@pytest.mark.parametrize("n", [2, 3])
def test_curvature_lies_between_its_bounds(n: int) -> None:
    manifold = gl.manifolds.MultivariateGaussians(n)
    base, _ = random_pair(n, n, condition=1e1)
    factor = torch.linalg.cholesky(base.covariance_matrix)
    for seed in range(5):
        u, v = (
            Gaussian(factor @ gaussian(s, n), factor @ symmetric(gaussian(s + 1, n, n)) @ factor.mT)
            for s in (seed, seed + 50)
        )
        length = manifold.norm(u, base)
        u = Gaussian(u.loc / length, u.covariance_matrix / length)
        along = manifold.inner_product(u, v, base)
        v = Gaussian(v.loc - along * u.loc, v.covariance_matrix - along * u.covariance_matrix)
        length = manifold.norm(v, base)
        v = Gaussian(v.loc / length, v.covariance_matrix / length)
        assert -1 - 1e-4 <= sectional_curvature(base, u, v) <= 2 / 7 + 1e-4


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_invariants_along_a_geodesic(n: int) -> None:
    # Translations and linear maps are isometries: Noether gives Sigma^-1 mu' and Sigma^-1 Sigma' + Sigma^-1 mu' mu^T.
    manifold = gl.manifolds.MultivariateGaussians(n)
    start, end = random_pair(n, n)
    times = torch.tensor([0.0, 0.1, 0.25, 0.5, 0.7], dtype=torch.float64)
    points = manifold.geodesic(start, end)(times)
    velocity = manifold.log(end, points)
    velocity = Gaussian(velocity.loc / (1 - times[:, None]), velocity.covariance_matrix / (1 - times[:, None, None]))
    momentum = torch.linalg.solve(points.covariance_matrix, velocity.loc)
    turning = torch.linalg.solve(points.covariance_matrix, velocity.covariance_matrix)
    turning = turning + momentum[:, :, None] * points.loc[:, None, :]
    assert torch.allclose(momentum, momentum[:1].expand_as(momentum), rtol=0, atol=1e-10 * momentum.abs().max().item())
    assert torch.allclose(turning, turning[:1].expand_as(turning), rtol=0, atol=1e-10 * turning.abs().max().item())
    speed = manifold.norm(velocity, points)
    assert torch.allclose(speed, manifold.dist(start, end).expand(5), rtol=1e-10)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_distance_grows_evenly_along_a_geodesic(n: int) -> None:
    manifold = gl.manifolds.MultivariateGaussians(n)
    start, end = random_pair(n + 5, n)
    path = manifold.geodesic(start, end)
    times = torch.linspace(-0.5, 1.5, 9, dtype=torch.float64)
    expected = (times[:, None] - times).abs() * manifold.dist(start, end)
    actual = manifold.pairwise_dist(path(times))
    assert torch.allclose(actual, expected, rtol=1e-10, atol=0)
    for time, point in ((0.0, start), (1.0, end)):
        assert torch.allclose(path(time).loc, point.loc, rtol=1e-10, atol=1e-10)
        assert torch.allclose(path(time).covariance_matrix, point.covariance_matrix, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_transport_keeps_inner_products(n: int) -> None:
    manifold = gl.manifolds.MultivariateGaussians(n)
    start, end = random_pair(n, n, mahalanobis=4.0)
    u, v = (Gaussian(gaussian(s, n), symmetric(gaussian(s + 1, n, n))) for s in (3, 5))
    for first, second in ((u, u), (u, v), (v, manifold.log(end, start))):
        moved = [manifold.parallel_transport(w, start, end) for w in (first, second)]
        before, after = manifold.inner_product(first, second, start), manifold.inner_product(*moved, end)
        scale = manifold.norm(first, start) * manifold.norm(second, start)
        assert (before - after).abs() <= 1e-10 * scale


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_transport_carries_the_velocity_and_comes_back(n: int) -> None:
    manifold = gl.manifolds.MultivariateGaussians(n)
    start, end = random_pair(n, n, condition=10, mahalanobis=2.0)
    velocity = manifold.parallel_transport(manifold.log(end, start), start, end)
    backwards = manifold.log(start, end)
    assert manifold.norm(Gaussian(*(a + b for a, b in zip(velocity, backwards, strict=True))), end) <= 1e-10
    vector = Gaussian(gaussian(1, n), symmetric(gaussian(2, n, n)))
    there = manifold.parallel_transport(vector, start, end)
    back = manifold.parallel_transport(there, end, start)
    assert torch.allclose(back.loc, vector.loc, rtol=1e-10, atol=1e-10)
    assert torch.allclose(back.covariance_matrix, vector.covariance_matrix, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_transport_and_exponential_of_the_connection(n: int) -> None:
    manifold = gl.manifolds.MultivariateGaussians(n)
    for start, end in (random_pair(n, n, condition=10, mahalanobis=2.0), near_pair(n, n, 0.01, condition=10)):
        velocity = manifold.log(end, start)
        vector = Gaussian(gaussian(7, n), symmetric(gaussian(8, n, n)))
        (loc, covariance), (d_loc, d_covariance) = integrate(start, velocity, vector)
        reached, moved = manifold.exp(velocity, start), manifold.parallel_transport(vector, start, end)
        expected = (loc, covariance, d_loc, d_covariance)
        for ours, theirs in zip((*reached, *moved), expected, strict=True):
            assert torch.allclose(ours, theirs, rtol=1e-10, atol=1e-10)

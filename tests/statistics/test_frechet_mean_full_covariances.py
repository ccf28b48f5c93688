import pytest
import torch
from gaussian_pairs import random_pair, standard, symmetric
from hypothesis import given, settings
from strategies import gaussian, seeds

from geolatent.manifolds import (
    Gaussian,
    MultivariateGaussians,
)
from geolatent.manifolds.components import map_components
from geolatent.statistics import frechet_mean

EPS = torch.finfo(torch.float64).eps


def full_cloud(seed: int, n: int, count: int, spread: float) -> Gaussian:
    steps = spread / n * symmetric(gaussian(seed, count, n, n)), spread / n**0.5 * gaussian(seed + 1, count, n)
    return MultivariateGaussians(n).exp(Gaussian(steps[1], steps[0]), standard(n))


@pytest.mark.parametrize("spread", [1e-6, 0.3, 1.0, 3.0])
def test_full_covariances(spread: float) -> None:
    manifold, points = MultivariateGaussians(3), full_cloud(1, 3, 12, spread)
    mean = frechet_mean(manifold, points)
    assert mean.converged
    at = map_components(lambda x: x.clone().requires_grad_(), mean.point)
    gradient = torch.autograd.grad(manifold.squared_dist(points, at).mean() / 2, at)
    factor = torch.linalg.cholesky(mean.point.covariance_matrix)
    whitened = torch.cat([factor.mT @ gradient[0], (factor.mT @ gradient[1] @ factor).flatten()])
    assert whitened.norm() <= max(1e-9 * mean.variance.sqrt(), 1e3 * EPS)


@given(seeds)
@settings(max_examples=5)
def test_full_covariances_are_equivariant_under_affine_maps(seed: int) -> None:
    manifold, points = MultivariateGaussians(2), full_cloud(seed, 2, 8, 2.0)
    matrix, shift = gaussian(seed, 2, 2) + 2 * torch.eye(2), gaussian(seed + 1, 2)

    def image(point: Gaussian) -> Gaussian:
        return Gaussian(point.loc @ matrix.mT + shift, symmetric(matrix @ point.covariance_matrix @ matrix.mT))

    means = frechet_mean(manifold, points).point, frechet_mean(manifold, image(points)).point
    assert manifold.dist(image(means[0]), means[1]) <= 1e-8


def test_the_mean_of_two_full_gaussians_is_their_midpoint() -> None:
    manifold, (a, b) = MultivariateGaussians(3), random_pair(3, 3)
    mean = frechet_mean(manifold, map_components(lambda x, y: torch.stack([x, y]), a, b))
    assert manifold.dist(mean.point, manifold.geodesic(a, b)(0.5)) <= 1e-9
    torch.testing.assert_close(mean.variance, manifold.squared_dist(a, b) / 4)

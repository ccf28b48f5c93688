import pytest
import torch
from strategies import gaussian
from torch.distributions import Cauchy, Independent, LowRankMultivariateNormal, MultivariateNormal, Normal

from geolatent.manifolds import DiagonalGaussian, Gaussian

LOC, SCALE = gaussian(0, 4, 3), gaussian(1, 4, 3).exp()
FACTOR = torch.eye(3) + gaussian(2, 4, 3, 3) / 4
COVARIANCE = FACTOR @ FACTOR.mT


def test_diagonal_gaussians_go_to_distributions_and_back() -> None:
    point = DiagonalGaussian(LOC, SCALE)
    distribution = point.to_distribution()
    assert distribution.batch_shape == (4,)
    assert distribution.event_shape == (3,)
    assert torch.equal(distribution.variance, SCALE.square())
    for back in (DiagonalGaussian.from_distribution(d) for d in (distribution, Normal(LOC, SCALE))):
        assert torch.equal(back.loc, LOC)
        assert torch.equal(back.scale, SCALE)


def test_gaussians_go_to_distributions_and_back() -> None:
    point = Gaussian(LOC, COVARIANCE)
    back = Gaussian.from_distribution(point.to_distribution())
    assert torch.equal(back.loc, LOC)
    assert torch.allclose(back.covariance_matrix, COVARIANCE, rtol=1e-14)
    low_rank = LowRankMultivariateNormal(LOC, FACTOR[..., :1], SCALE)
    expected = FACTOR[..., :1] @ FACTOR[..., :1].mT + torch.diag_embed(SCALE)
    assert torch.allclose(Gaussian.from_distribution(low_rank).covariance_matrix, expected, rtol=1e-14)


@pytest.mark.parametrize("distribution", [Normal(LOC, SCALE), Independent(Normal(LOC, SCALE), 1)], ids=str)
def test_independent_normals_have_a_diagonal_covariance(distribution: torch.distributions.Distribution) -> None:
    point = Gaussian.from_distribution(distribution)
    assert torch.equal(point.covariance_matrix, torch.diag_embed(SCALE.square()))


def test_gradients_reach_the_distributions_parameters() -> None:
    scale = SCALE.clone().requires_grad_()
    Gaussian.from_distribution(Normal(LOC, scale)).covariance_matrix.sum().backward()
    assert torch.equal(scale.grad, 2 * SCALE)


def test_other_distributions_are_named() -> None:
    with pytest.raises(TypeError, match=r"got MultivariateNormal: .* use Gaussian\.from_distribution"):
        DiagonalGaussian.from_distribution(MultivariateNormal(LOC, COVARIANCE))
    with pytest.raises(TypeError, match=r"got Independent\(Normal, 2\)"):
        DiagonalGaussian.from_distribution(Independent(Normal(LOC, SCALE), 2))
    with pytest.raises(TypeError, match="got Cauchy: build Gaussian"):
        Gaussian.from_distribution(Cauchy(LOC, SCALE))
    for kind in (DiagonalGaussian, Gaussian):
        with pytest.raises(ValueError, match=r"a Normal must have shape \(\.\.\., n\); got shape \(\): give"):
            kind.from_distribution(Normal(0.0, 1.0))

import math

import pytest
import torch
from gaussian_pairs import random_pair, standard
from torch.distributions import Independent, MultivariateNormal, Normal

from geolatent import divergences
from geolatent.divergences import hellinger_distance, kl_divergence, renyi_divergence, wasserstein_distance
from geolatent.manifolds import DiagonalGaussian, Gaussian

ALL = [
    divergences.kl_divergence,
    divergences.jeffreys_divergence,
    lambda p, q: divergences.renyi_divergence(p, q, 0.5),
    lambda p, q: divergences.symmetric_renyi_divergence(p, q, 0.5),
    divergences.hellinger_distance,
    divergences.bhattacharyya_distance,
    divergences.wasserstein_distance,
]
unit = DiagonalGaussian(torch.zeros(2), torch.ones(2))


@pytest.mark.parametrize("divergence", ALL)
def test_distributions_of_torch_are_accepted(divergence) -> None:
    loc, scale = torch.tensor([[0.5, 1.0], [2.0, 3.0]]), torch.tensor([[1.0, 2.0], [0.5, 1.5]])
    expected = divergence(DiagonalGaussian(loc, scale), unit)
    assert expected.shape == (2,)
    assert torch.equal(divergence(Normal(loc, scale), unit), expected)
    assert torch.equal(divergence(Independent(Normal(loc, scale), 1), Normal(*unit)), expected)
    full = MultivariateNormal(loc, torch.diag_embed(scale**2))
    torch.testing.assert_close(divergence(full, Gaussian(torch.zeros(2), torch.eye(2))), expected)


@pytest.mark.parametrize("divergence", ALL)
def test_batches_broadcast_and_types_follow_the_input(divergence) -> None:
    p = DiagonalGaussian(torch.rand(4, 1, 2), torch.rand(4, 1, 2) + 0.5)
    q = DiagonalGaussian(torch.rand(3, 2), torch.rand(2) + 0.5)
    values = divergence(p, q)
    assert values.shape == (4, 3)
    assert values.dtype == torch.float32
    one = divergence(DiagonalGaussian(*(x[2, 0] for x in p)), DiagonalGaussian(q.loc[1], q.scale))
    torch.testing.assert_close(values[2, 1], one)
    halves = [DiagonalGaussian(*(x.bfloat16() for x in point)) for point in (p, q)]
    assert divergence(*halves).dtype == torch.bfloat16
    assert divergence(DiagonalGaussian(torch.zeros(0, 2), torch.ones(0, 2)), unit).shape == (0,)


@pytest.mark.parametrize("divergence", ALL)
def test_a_batch_of_full_covariances(divergence) -> None:
    p, q = random_pair(0, 3)
    batch = Gaussian(torch.stack([p.loc, q.loc]), torch.stack([p.covariance_matrix, q.covariance_matrix]))
    values = divergence(batch, q)
    assert values[0] == divergence(p, q)
    assert values[1] == 0


def test_errors_name_what_came() -> None:
    with pytest.raises(TypeError, match="p and q must be of one family; got DiagonalGaussian and Gaussian"):
        kl_divergence(unit, Gaussian(torch.zeros(2), torch.eye(2)))
    with pytest.raises(
        TypeError, match="q must be a DiagonalGaussian, a Gaussian or a distribution of torch; got tuple"
    ):
        kl_divergence(unit, (torch.zeros(2), torch.ones(2)))
    with pytest.raises(TypeError, match=r"p.loc must be real floating point; got torch.int64"):
        wasserstein_distance(DiagonalGaussian(torch.zeros(2).long(), torch.ones(2)), unit)
    with pytest.raises(TypeError, match=r"p.loc must be a torch.Tensor; got list"):
        wasserstein_distance(DiagonalGaussian([0.0], torch.ones(1)), unit)
    with pytest.raises(ValueError, match=r"q must have loc and scale of shape \(\.\.\., 2\); got \(3,\) and \(3,\)"):
        hellinger_distance(unit, DiagonalGaussian(torch.zeros(3), torch.ones(3)))
    with pytest.raises(ValueError, match=r"p.*must be positive and finite; point 1 of 2 has -1.0"):
        hellinger_distance(DiagonalGaussian(torch.zeros(2, 2), torch.tensor([[1.0, 1.0], [1.0, -1.0]])), unit)
    with pytest.raises(ValueError, match=r"q.* must be positive definite; the matrix has smallest eigenvalue"):
        kl_divergence(standard(2), Gaussian(torch.zeros(2).double(), torch.ones(2, 2).double() - torch.eye(2)))
    with pytest.raises(ValueError, match="batch shapes that broadcast"):
        kl_divergence(
            DiagonalGaussian(torch.zeros(3, 2), torch.ones(2)), DiagonalGaussian(torch.zeros(4, 2), torch.ones(2))
        )


@pytest.mark.parametrize("alpha", [0, -0.5, math.inf, math.nan])
def test_orders_out_of_range(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha must be positive and finite; got"):
        renyi_divergence(unit, unit, alpha)


@pytest.mark.parametrize("alpha", [True, "2", torch.tensor(0.5)])
def test_orders_of_another_type(alpha: object) -> None:
    with pytest.raises(TypeError, match="alpha must be a real number; got"):
        renyi_divergence(unit, unit, alpha)


def test_far_scales_neither_overflow_nor_give_nan() -> None:
    scale = torch.tensor([[1e-20], [1e-6], [1.0], [1e6], [1e18]], requires_grad=True)
    for alpha in (1e-6, 0.3, 0.5, 0.9, 1 - 1e-7):
        values = renyi_divergence(
            DiagonalGaussian(torch.ones(1), scale), DiagonalGaussian(torch.zeros(1), torch.ones(1)), alpha
        )
        assert values.isfinite().all()
        assert torch.autograd.grad(values.sum(), scale)[0].isfinite().all()

import pytest
import torch
from strategies import gaussian, generator
from torch.distributions import Bernoulli, Normal, kl_divergence

from geolatent.models import bernoulli_cross_entropy, kl_to_standard_normal


def test_kl_is_that_of_torch():
    mean, log_variance = gaussian(0, 2, 6, 2, 3)
    normal = Normal(mean, (log_variance / 2).exp())
    expected = kl_divergence(normal, Normal(torch.zeros_like(mean), torch.ones_like(mean))).sum((1, 2))
    torch.testing.assert_close(kl_to_standard_normal(mean, log_variance), expected)
    assert torch.equal(kl_to_standard_normal(torch.zeros(2, 3), torch.zeros(2, 3)), torch.zeros(2))


def test_kl_keeps_its_digits_near_the_standard_normal():
    small = torch.full((1, 1), 1e-7, dtype=torch.float64)
    torch.testing.assert_close(kl_to_standard_normal(0 * small, small).item(), 2.5e-15, rtol=1e-2, atol=0)


def test_cross_entropy_is_that_of_torch():
    p = torch.rand(6, 2, 3, generator=generator(0), dtype=torch.float64)
    x = p.roll(1, 0).round()
    torch.testing.assert_close(bernoulli_cross_entropy(p, x), -Bernoulli(p).log_prob(x).sum((1, 2)))
    grey = bernoulli_cross_entropy(p, p)
    torch.testing.assert_close(grey, Bernoulli(p).entropy().sum((1, 2)))


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_cross_entropy_refuses_values_out_of_range(value):
    with pytest.raises(ValueError, match=r"x must lie in \[0, 1\]"):
        bernoulli_cross_entropy(torch.full((1, 2), 0.5), torch.tensor([[0.5, value]]))

import math
from importlib import import_module

import pytest
import scipy.stats
import torch

from geolatent.datasets import RANDOM_PIXELS, random_pixels

LAWS = {
    "bernoulli-0.13": scipy.stats.bernoulli(0.13),
    "bernoulli-0.25": scipy.stats.bernoulli(0.25),
    "bernoulli-0.5": scipy.stats.bernoulli(0.5),
    "bernoulli-0.75": scipy.stats.bernoulli(0.75),
    "bernoulli-0.87": scipy.stats.bernoulli(0.87),
    "beta-0.8-5": scipy.stats.beta(0.8, 5),
    "beta-0.5-0.5": scipy.stats.beta(0.5, 0.5),
    "beta-5-0.8": scipy.stats.beta(5, 0.8),
    "normal-0.5-1": scipy.stats.truncnorm(-0.5, 0.5, loc=0.5, scale=1),
    "uniform": scipy.stats.uniform(),
}
N, SHAPE = 400, (15, 20)
STANDARD_ERRORS = 5.0  # probability 6e-7 for one comparison


def draw(name, seed=0, n=N, shape=SHAPE):
    return random_pixels(name, n, shape, torch.Generator().manual_seed(seed))


def test_the_ten_names():
    assert tuple(LAWS) == RANDOM_PIXELS


@pytest.mark.parametrize("name", RANDOM_PIXELS)
def test_shape_type_and_range(name):
    pixels = draw(name)
    assert pixels.shape == (N, *SHAPE)
    assert pixels.dtype == torch.float32
    assert pixels.min() >= 0
    assert pixels.max() <= 1


@pytest.mark.parametrize("name", RANDOM_PIXELS)
def test_moments_match_the_closed_form(name):
    pixels, law = draw(name).double().flatten(), LAWS[name]
    mean, variance = law.mean(), law.var()
    assert abs(float(pixels.mean()) - mean) < STANDARD_ERRORS * math.sqrt(variance / len(pixels))
    fourth = float(law.stats(moments="k")) * variance**2 + 3 * variance**2
    error = math.sqrt(max(fourth - variance**2, 1e-12) / len(pixels))
    assert abs(float(pixels.var()) - variance) < STANDARD_ERRORS * error + 1e-5


@pytest.mark.parametrize("name", [name for name in RANDOM_PIXELS if not name.startswith("bernoulli")])
def test_distribution_is_the_stated_one(name):
    assert scipy.stats.kstest(draw(name).flatten().numpy(), LAWS[name].cdf).pvalue > 1e-6


@pytest.mark.parametrize("name", [name for name in RANDOM_PIXELS if name.startswith("bernoulli")])
def test_bernoulli_pixels_are_black_or_white(name):
    assert set(draw(name).unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("name", RANDOM_PIXELS)
def test_neighbouring_pixels_are_independent(name):
    pixels = draw(name).double()
    pixels = (pixels - pixels.mean()) / pixels.std()
    for product in (
        pixels[:, 1:] * pixels[:, :-1],
        pixels[:, :, 1:] * pixels[:, :, :-1],
        pixels[1:] * pixels[:-1],
    ):
        assert abs(float(product.mean())) < STANDARD_ERRORS / math.sqrt(product.numel())


@pytest.mark.parametrize("name", RANDOM_PIXELS)
def test_generator_is_the_only_source(name):
    before = torch.get_rng_state()
    first = draw(name, seed=1, n=5)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, draw(name, seed=1, n=5))
    assert not torch.equal(first, draw(name, seed=2, n=5))


@pytest.mark.parametrize("name", RANDOM_PIXELS)
def test_a_generator_goes_on_where_it_stopped(name):
    generator = torch.Generator().manual_seed(3)
    first, second = (random_pixels(name, 2, (30,), generator) for _ in range(2))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("name", RANDOM_PIXELS)
@pytest.mark.parametrize(("n", "shape"), [(0, (28, 28)), (3, ()), (2, (0, 4))])
def test_small_and_empty_sets(name, n, shape):
    assert draw(name, n=n, shape=shape).shape == (n, *shape)


def test_beta_across_blocks(monkeypatch):
    monkeypatch.setattr(import_module("geolatent.datasets.random_pixels"), "_BLOCK", 7)
    pixels = draw("beta-0.8-5", n=100, shape=(13,))
    assert scipy.stats.kstest(pixels.flatten().numpy(), LAWS["beta-0.8-5"].cdf).pvalue > 1e-6


def test_unknown_name_is_refused_with_the_choices():
    with pytest.raises(ValueError, match=r"name must be one of bernoulli-0\.13, .*uniform; got 'gaussian'"):
        random_pixels("gaussian", 1, (2, 2))


@pytest.mark.parametrize(("n", "shape"), [(-1, (2, 2)), (1, (2, -2))])
def test_negative_sizes_are_refused(n, shape):
    with pytest.raises(ValueError, match="n and shape must not be negative"):
        random_pixels("uniform", n, shape)

import pytest
import torch
from strategies import generator
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

import geolatent as gl
from geolatent.models import ConvVAE


def small(seed=0, **changes):
    return ConvVAE((1, 8, 8), (6, 4), "tanh", generator=generator(seed), **changes).double()


def images(n=5, seed=1):
    return torch.rand(n, 8, 8, generator=generator(seed), dtype=torch.float64)


@pytest.mark.parametrize("kl_weight", [0.0, 1.0, 4.0])
def test_loss_is_the_negative_bound_of_torch_distributions(kl_weight):
    model, x = small(kl_weight=kl_weight), images().round()
    q = Independent(Normal(*model.posterior(x)), 3)
    z = model.sample(x, generator(7))
    pixels = Independent(Bernoulli(model.decode(z)), 3)
    prior = Independent(Normal(torch.zeros_like(z), torch.ones_like(z)), 3)
    expected = (kl_weight * kl_divergence(q, prior) - pixels.log_prob(x[:, None])).mean()
    torch.testing.assert_close(model.loss(x, generator(7)), expected)


def test_posterior_is_two_convolutions_of_the_last_block():
    model, x = small(), images()
    features = model.encoder[:-1](x[:, None])
    loc, scale = model.posterior(x)
    torch.testing.assert_close(loc, model.encoder[-1](features))
    torch.testing.assert_close(scale, (model.log_variance(features) / 2).exp())
    torch.testing.assert_close(model.encode(x), loc)
    torch.testing.assert_close(model(x), model.decode(loc).reshape(x.shape))
    assert loc.min() < 0


def test_samples_have_the_posteriors_moments():
    model, x = small(), images(1)
    loc, scale = model.posterior(x)
    z = model.sample(x.expand(20_000, 8, 8), generator(3))
    assert ((z.mean(0) - loc[0]).abs() < 6 * scale[0] / 20_000**0.5).all()
    assert ((z.std(0) / scale[0] - 1).abs() < 0.05).all()
    assert torch.equal(model.sample(x, generator(3)), model.sample(x, generator(3)))


def test_learns_and_comes_back_from_disk(tmp_path):
    x = (images(48) > 0.8).double()
    losses = []
    for _ in range(2):
        model = small(kl_weight=0.5)
        losses.append(gl.training.fit(model, x, epochs=8, batch_size=16, lr=1e-2, generator=generator(3)).loss)
    assert losses[0] == losses[1]
    assert losses[0][-1] < losses[0][0] - 5
    gl.training.save(model, tmp_path)
    loaded = gl.training.load(ConvVAE, tmp_path)
    assert (
        loaded.config
        == model.config
        == {"image_shape": [1, 8, 8], "widths": [6, 4], "activation": "tanh", "kl_weight": 0.5}
    )
    assert torch.equal(loaded.loss(x, generator(0)), model.loss(x, generator(0)))
    assert "kl_weight=0.5" in str(model)


def test_sampled_codes_have_full_rank_even_where_the_means_have_not():
    model, x = ConvVAE((1, 28, 28), (2, 4, 64), generator=generator(0)), images(3).repeat(1, 4, 4)[:, :28, :28].float()
    with torch.no_grad():
        model.encoder[-1].weight[:, 0] = 0
        model.encoder[-1].weight[1:] = model.encoder[-1].weight[:1]
        model.encoder[-1].bias.zero_()
        mean, sampled = (
            gl.embeddings.stratification(z.movedim(1, -1)) for z in (model.encode(x), model.sample(x, generator(0)))
        )
    assert mean.ranks[:, 2].tolist() == [1, 1, 1]
    assert sampled.ranks.tolist() == [[7, 7, 48]] * 3


def test_refuses_pixels_out_of_range_and_bad_weights():
    with pytest.raises(ValueError, match=r"x must lie in \[0, 1\]; got values from .* to 2"):
        small().loss(2 * torch.ones(1, 8, 8, dtype=torch.float64))
    for weight in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="kl_weight must be finite and at least 0"):
            small(kl_weight=weight)
